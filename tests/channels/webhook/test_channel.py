import pytest
from standardwebhooks import Webhook

from self_service_agent.channels.base import (
    NoAddress,
    PermanentDeliveryError,
    TransientDeliveryError,
    UnknownOutcomeError,
)
from self_service_agent.channels.webhook import MANIFEST
from self_service_agent.channels.webhook.channel import WebhookChannel
from self_service_agent.channels.webhook.config import WebhookAddress, WebhookSettings
from self_service_agent.doubles.receiver import Answer, Fault, Receiver
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from tests.channels.builders import a_reply

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
async def receiver():
    async with Receiver.open() as receiver:
        yield receiver


@pytest.fixture
async def http():
    async with Client.open(policy=EgressPolicy(allow_loopback=True), user_agent="test") as http:
        yield http


async def test_the_receiver_can_verify_what_it_gets(http: Client, receiver: Receiver):
    channel = WebhookChannel(WebhookSettings(webhook_secret=SECRET), http)

    receipt = await channel.deliver(a_reply(), WebhookAddress(url=f"{receiver.url}/hook"))

    assert receipt.detail == {"status": 200}
    [received] = receiver.received
    assert (received.method, received.path) == ("POST", "/hook")
    assert Webhook(SECRET).verify(received.body, dict(received.headers))["content"] == a_reply().content


async def test_without_a_url_of_its_own_an_address_is_the_installation_s(http: Client, receiver: Receiver):
    channel = WebhookChannel(WebhookSettings(default_webhook_url=f"{receiver.url}/default"), http)

    await channel.deliver(a_reply(), WebhookAddress())

    assert receiver.received[0].path == "/default"


async def test_without_any_url_there_is_no_address(http: Client):
    with pytest.raises(NoAddress):
        await WebhookChannel(WebhookSettings(), http).deliver(a_reply(), WebhookAddress())


async def test_a_redirect_is_permanent_and_is_not_followed(http: Client, receiver: Receiver):
    receiver.script(Answer(status=307, headers={"Location": f"{receiver.url}/elsewhere"}))

    with pytest.raises(PermanentDeliveryError, match="http 307"):
        await WebhookChannel(WebhookSettings(), http).deliver(a_reply(), WebhookAddress(url=receiver.url))

    assert len(receiver.received) == 1


async def test_an_inward_address_is_permanent(receiver: Receiver):
    async with Client.open(policy=EgressPolicy(), user_agent="test") as guarded:
        with pytest.raises(PermanentDeliveryError):
            await WebhookChannel(WebhookSettings(), guarded).deliver(a_reply(), WebhookAddress(url=receiver.url))

    assert receiver.received == ()


async def test_a_receiver_out_of_reach_is_transient(http: Client):
    async with Receiver.open() as gone:
        pass

    with pytest.raises(TransientDeliveryError) as caught:
        await WebhookChannel(WebhookSettings(), http).deliver(a_reply(), WebhookAddress(url=gone.url))

    assert not isinstance(caught.value, UnknownOutcomeError)


async def test_a_lost_answer_leaves_the_outcome_unknown(http: Client, receiver: Receiver):
    receiver.script(Fault.CLOSE)

    with pytest.raises(UnknownOutcomeError):
        await WebhookChannel(WebhookSettings(), http).deliver(a_reply(), WebhookAddress(url=receiver.url))

    assert len(receiver.received) == 1


async def test_every_attempt_sends_the_same_body(http: Client, receiver: Receiver):
    receiver.script(500)
    channel = WebhookChannel(WebhookSettings(), http)

    with pytest.raises(TransientDeliveryError):
        await channel.deliver(a_reply(), WebhookAddress(url=receiver.url))
    await channel.deliver(a_reply(), WebhookAddress(url=receiver.url))

    first, second = receiver.received
    assert first.body == second.body


def test_it_is_off_until_the_installation_has_a_url(monkeypatch):
    monkeypatch.delenv("DEFAULT_WEBHOOK_URL", raising=False)

    assert MANIFEST.defaults_with(MANIFEST.read_settings()) == MANIFEST.defaults
    assert not MANIFEST.defaults.enabled


def test_a_default_url_switches_it_on(monkeypatch):
    monkeypatch.setenv("DEFAULT_WEBHOOK_URL", "https://example.com/hook")

    defaults = MANIFEST.defaults_with(MANIFEST.read_settings())

    assert defaults.enabled
    assert (defaults.priority, defaults.retry_count, defaults.retry_delay_seconds) == (3, 1, 30)


def test_a_wrong_secret_stops_the_start_by_name_only(monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", "s3cret!")

    with pytest.raises(ValueError, match="webhook_secret") as caught:
        MANIFEST.read_settings()

    assert "s3cret" not in str(caught.value)
