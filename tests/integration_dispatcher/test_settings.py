import pytest
from pydantic import ValidationError

from self_service_agent.integration_dispatcher.preferences.defaults import DefaultChange
from self_service_agent.integration_dispatcher.settings import read_default_changes
from self_service_agent.kit.settings import SettingsError
from tests.integration_dispatcher.builders import EMAIL, TEST, some_settings


def test_the_environment_changes_the_defaults(monkeypatch):
    monkeypatch.setenv("INTEGRATION_DEFAULTS_EMAIL_ENABLED", "false")
    monkeypatch.setenv("INTEGRATION_DEFAULTS_EMAIL_RETRY_DELAY_SECONDS", "5")
    monkeypatch.setenv("INTEGRATION_DEFAULTS_TEST_PRIORITY", "")

    changes = read_default_changes()

    assert changes[EMAIL] == DefaultChange(enabled=False, retry_delay_seconds=5)
    assert changes[TEST] == DefaultChange()


def test_a_variable_that_makes_no_sense_is_named(monkeypatch):
    monkeypatch.setenv("INTEGRATION_DEFAULTS_SMS_PRIORITY", "0")

    with pytest.raises(SettingsError, match="INTEGRATION_DEFAULTS_SMS_PRIORITY"):
        read_default_changes()


def test_a_send_must_end_within_its_lease():
    with pytest.raises(ValidationError, match="shorter"):
        some_settings(timeout_seconds=60, lease_seconds=60)
