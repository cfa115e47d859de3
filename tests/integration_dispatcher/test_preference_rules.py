import pytest
from pydantic import BaseModel, ValidationError

from self_service_agent.channels.base import Person
from self_service_agent.integration_dispatcher.preferences.defaults import DefaultChange, integration_defaults
from self_service_agent.integration_dispatcher.preferences.rules import (
    Override,
    effective_configs,
    masked,
    masked_address,
    stranger,
    unmasked,
)
from self_service_agent.integration_dispatcher.preferences.schemas import OverrideCreate, OverrideUpdate
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.users import user_id_of
from tests.integration_dispatcher.builders import ALICE, EMAIL, SLACK, TEST, WEBHOOK, a_config

UUID = "6f1b7a52-2f0e-5d0b-9a39-6c0c6d0f4f55"


def test_the_documented_defaults_are_listed_although_no_channel_is_installed():
    defaults = integration_defaults({}, {})

    assert {kind: (each.priority, each.retry_count, each.retry_delay_seconds) for kind, each in defaults.items()} == {
        SLACK: (1, 3, 60),
        EMAIL: (2, 3, 60),
        WEBHOOK: (3, 1, 30),
        IntegrationType.SMS: (4, 2, 45),
        TEST: (5, 1, 10),
    }
    assert not any(each.enabled for each in defaults.values())


def test_the_operators_word_comes_after_the_channels_own():
    changes = {TEST: DefaultChange(enabled=False, priority=1, retry_count=0)}

    defaults = integration_defaults({TEST: a_config(config={"url": "x"})}, changes)

    assert defaults[TEST] == a_config(enabled=False, priority=1, retry_count=0, config={"url": "x"})
    assert list(defaults)[:2] == [SLACK, TEST]


def test_an_override_changes_what_it_names_and_inherits_the_rest():
    default = a_config(priority=2, config={"format": "html", "include_agent_info": True})
    override = Override(enabled=None, retry_count=0, config={"format": "text"})

    effective = effective_configs({EMAIL: default, TEST: a_config(priority=1)}, {EMAIL: override})

    merged = {"format": "text", "include_agent_info": True}
    assert effective == {TEST: a_config(priority=1), EMAIL: a_config(priority=2, retry_count=0, config=merged)}
    assert list(effective) == [TEST, EMAIL]


def test_secrets_are_masked_at_any_depth_and_come_back_unchanged():
    stored = {
        "url": "https://x",
        "auth_token": "t",
        "headers": {"X-API-Key": "k", "Authorization": None},
        "list": [{"secret": 1}],
    }

    shown = masked(stored)

    assert shown == {
        "url": "https://x",
        "auth_token": "********",
        "headers": {"X-API-Key": "********", "Authorization": None},
        "list": [{"secret": "********"}],
    }
    assert unmasked({**shown, "url": "https://y", "list": []}, stored) == {**stored, "url": "https://y", "list": []}
    assert unmasked({"token": "********"}, {}) == {"token": "********"}


def test_an_address_is_shown_as_a_hint():
    class Address(BaseModel):
        email: str = "alice@company.com"
        url: str = "https://me:s3cret@user.example:8443/hook?key=1"
        key_header: str = "X-API-Key"
        phone: str = "+41791234567"
        format: str = "html"
        token: str = "t"
        nothing: str | None = None

    assert masked_address(Address()) == {
        "email": "a***@company.com",
        "url": "https://user.example:8443/…",
        "key_header": "X-API-Key",
        "phone": "***67",
        "format": "html",
    }


@pytest.mark.parametrize(
    ("name", "person"),
    [
        pytest.param(UUID.upper(), Person(user_id=UUID, login=None, email=None), id="a uuid is the id"),
        pytest.param(
            "Alice@Company.com",
            Person(user_id=user_id_of("alice@company.com"), login=None, email="alice@company.com"),
            id="what has an @ is an e-mail address",
        ),
        pytest.param(" Alice.Johnson", Person(user_id=user_id_of(ALICE), login=ALICE, email=None), id="else a login"),
    ],
)
def test_somebody_never_seen_has_an_id_all_the_same(name, person):
    assert stranger(name) == person


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"url": "a\x00b"}, id="NUL"),
        pytest.param({"list": [{"a\x00": 1}]}, id="NUL in a key"),
        pytest.param({"url": "x" * 16_384}, id="too large"),
        pytest.param({"url": "\ud800"}, id="half a character"),
        pytest.param({"number": 2**70}, id="too large a number"),
    ],
)
def test_a_configuration_that_cannot_be_stored_is_refused(config):
    with pytest.raises(ValidationError):
        OverrideCreate(integration_type=EMAIL, config=config)


@pytest.mark.parametrize("kind", ["WEB", "CLI", "TOOL", "ZAMMAD"])
def test_what_is_no_channel_cannot_be_overridden(kind):
    with pytest.raises(ValidationError):
        OverrideCreate(integration_type=kind)


def test_a_change_names_its_fields():
    assert OverrideUpdate.model_validate({"enabled": None, "config": None}).changes == {"enabled": None, "config": {}}
    assert OverrideUpdate(retry_count=2).changes == {"retry_count": 2}
