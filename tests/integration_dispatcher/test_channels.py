import pytest

from self_service_agent.integration_dispatcher.channels import MANIFESTS, open_channels
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from tests.integration_dispatcher.builders import EMAIL, TEST, WEBHOOK


@pytest.fixture
async def client():
    async with Client.open(policy=EgressPolicy(), user_agent="test") as client:
        yield client


async def test_a_channel_without_settings_is_installed_but_not_open(client, monkeypatch):
    monkeypatch.delenv("SMTP_HOST", raising=False)
    monkeypatch.delenv("DEFAULT_WEBHOOK_URL", raising=False)
    monkeypatch.setenv("TEST_INTEGRATION_ENABLED", "true")

    async with open_channels(client) as channels:
        assert set(channels.opened) == {WEBHOOK, TEST}
        assert {kind: each.enabled for kind, each in channels.installed.items()} == {
            EMAIL: False, WEBHOOK: False, TEST: True,
        }  # fmt: skip


async def test_a_default_receiver_switches_the_webhook_channel_on(client, monkeypatch):
    monkeypatch.setenv("DEFAULT_WEBHOOK_URL", "https://hooks.example/1")

    async with open_channels(client) as channels:
        assert channels.installed[WEBHOOK].enabled


def test_each_integration_type_has_one_channel():
    kinds = [manifest.integration_type for manifest in MANIFESTS]

    assert len(kinds) == len(set(kinds))
