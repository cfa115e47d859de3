import pytest

from self_service_agent.channels.base import InvalidConfig, NoAddress
from self_service_agent.channels.testing import MANIFEST
from self_service_agent.channels.testing.config import Outcome, RecordingAddress
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from tests.channels.builders import a_person, a_reply


def test_it_is_off_unless_switched_on(monkeypatch):
    monkeypatch.delenv("TEST_INTEGRATION_ENABLED", raising=False)

    assert MANIFEST.read_settings() is None
    assert not MANIFEST.defaults_with(None).enabled


def test_one_variable_switches_it_on(monkeypatch):
    monkeypatch.setenv("TEST_INTEGRATION_ENABLED", "true")

    assert MANIFEST.defaults_with(MANIFEST.read_settings()) == MANIFEST.defaults


def test_its_defaults_are_the_documented_ones():
    defaults = MANIFEST.defaults

    assert (defaults.priority, defaults.retry_count, defaults.retry_delay_seconds) == (5, 1, 10)


@pytest.mark.parametrize(
    ("config", "outcome"),
    [({}, Outcome.DELIVERED), ({"outcome": "busy"}, Outcome.BUSY), ({"outcome": "refused"}, Outcome.REFUSED)],
)
def test_everybody_has_an_address(config, outcome):
    assert MANIFEST.address_of(a_person(), config, {}) == RecordingAddress(user_id="u-1", outcome=outcome)


def test_an_unknown_outcome_is_named_with_the_known_ones():
    with pytest.raises(NoAddress, match="outcome must be one of delivered, refused, busy, unknown"):
        MANIFEST.address_of(a_person(), {"outcome": "lost"}, {})


def test_an_outcome_that_cannot_be_played_is_refused_beforehand():
    MANIFEST.check_config({"user_id": 5, "outcome": "busy"})

    with pytest.raises(InvalidConfig, match=r"^outcome: "):
        MANIFEST.check_config({"outcome": "lost"})


async def test_an_opened_channel_records_what_it_delivers(monkeypatch):
    monkeypatch.setenv("TEST_INTEGRATION_ENABLED", "true")
    address = MANIFEST.address_of(a_person(), {}, {})
    async with (
        Client.open(policy=EgressPolicy(), user_agent="test") as http,
        MANIFEST.open(MANIFEST.read_settings(), http) as channel,
    ):
        receipt = await channel.deliver(a_reply(), address)

    assert receipt.external_id == a_reply().delivery_id
    assert channel.replies == (a_reply(),)
