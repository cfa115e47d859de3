import pytest

from self_service_agent.channels.webhook.channel import WebhookChannel
from self_service_agent.channels.webhook.config import WebhookAddress, WebhookSettings
from self_service_agent.doubles.receiver import Answer, Fault, Receiver
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from tests.contracts.channel import ChannelContract, ChannelPeer


class ReceiverPeer(ChannelPeer):
    retry_after = 7.0
    secrets = ("path-s3cret", "query-s3cret", "token-s3cret", "c2lnbmluZy1zM2NyZXQtc2lnbmluZy1zM2NyZXQ=")

    def __init__(self, channel: WebhookChannel, receiver: Receiver):
        self.channel = channel
        self.address = WebhookAddress(
            url=f"{receiver.url}/path-s3cret?key=query-s3cret",
            auth_type="bearer",
            token="token-s3cret",
            secret="whsec_c2lnbmluZy1zM2NyZXQtc2lnbmluZy1zM2NyZXQ=",
        )
        self._receiver = receiver

    def refuse(self):
        self._receiver.script(410)

    def be_busy(self):
        self._receiver.script(Answer(status=429, headers={"Retry-After": "7"}))

    def show_error_page(self):
        self._receiver.script(Answer(status=502, body=b"<html>Bad Gateway</html>"))

    def break_line(self):
        self._receiver.script(Fault.CLOSE)

    def hang(self):
        self._receiver.script(Fault.HANG)

    async def reached(self):
        await self._receiver.wait_for(1)

    def delivery_ids(self):
        return [received.headers["webhook-id"] for received in self._receiver.received]


class TestWebhookChannel(ChannelContract):
    @pytest.fixture
    async def peer(self):
        async with (
            Receiver.open() as receiver,
            Client.open(policy=EgressPolicy(allow_loopback=True), user_agent="test") as http,
            WebhookChannel.open(WebhookSettings(), http) as channel,
        ):
            yield ReceiverPeer(channel, receiver)
