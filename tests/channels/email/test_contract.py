import pytest

from self_service_agent.channels.email.channel import EmailChannel
from self_service_agent.channels.email.config import EmailAddress
from self_service_agent.doubles.mailbox import Fault, Mailbox, Stage
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from tests.channels.email.settings import some_settings
from tests.contracts.channel import ChannelContract, ChannelPeer


class MailboxPeer(ChannelPeer):
    secrets = ("s3cret-password",)

    def __init__(self, channel: EmailChannel, mailbox: Mailbox):
        self.channel = channel
        self.address = EmailAddress(email_address="alice@example.com")
        self._mailbox = mailbox

    def refuse(self):
        self._mailbox.fail(Stage.RECIPIENT, "550 5.1.1 no such user")

    def be_busy(self):
        self._mailbox.fail(Stage.RECIPIENT, "450 4.2.1 try later")

    def break_line(self):
        self._mailbox.fail(Stage.CONTENT, Fault.CLOSE)

    def hang(self):
        self._mailbox.fail(Stage.RECIPIENT, Fault.HANG)

    async def reached(self):
        await self._mailbox.wait_for_fault()

    def delivery_ids(self):
        return [mail.headers["Message-ID"].strip("<>").partition("@")[0] for mail in self._mailbox.mails]


class TestEmailChannel(ChannelContract):
    @pytest.fixture
    async def peer(self):
        async with (
            Mailbox.open(login=("agent", "s3cret-password")) as mailbox,
            Client.open(policy=EgressPolicy(), user_agent="test") as http,
            EmailChannel.open(some_settings(mailbox), http) as channel,
        ):
            yield MailboxPeer(channel, mailbox)
