from ipaddress import IPv4Network

import pytest

from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.settings import SettingsError, read
from self_service_agent.mcp_servers.servicenow.settings import ToolServerSettings


def test_what_is_missing_or_wrong_is_named(monkeypatch):
    monkeypatch.setenv("SERVICE_TOKEN_SECRET", "short")

    with pytest.raises(SettingsError) as stopped:
        read(ToolServerSettings)

    assert "SERVICENOW_INSTANCE_URL is not set" in str(stopped.value)
    assert "SERVICE_TOKEN_SECRET:" in str(stopped.value)
    assert "short" not in str(stopped.value).replace("too short", "")


def test_inner_networks_are_closed_unless_they_are_named(monkeypatch):
    monkeypatch.setenv("SERVICE_TOKEN_SECRET", "a secret for tests, long enough for HS256")
    monkeypatch.setenv("SERVICENOW_INSTANCE_URL", "https://servicenow.internal")
    monkeypatch.setenv("EGRESS_ALLOWED_NETWORKS", '["10.1.0.0/16"]')

    assert read(ToolServerSettings).egress == EgressPolicy(allowed_networks=(IPv4Network("10.1.0.0/16"),))
