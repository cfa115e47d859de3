import asyncio

import aiosmtplib
import pytest

from self_service_agent.channels.base import TransientDeliveryError
from self_service_agent.channels.email.channel import EmailChannel
from self_service_agent.channels.email.config import EmailAddress
from self_service_agent.channels.email.connections import Connections
from self_service_agent.doubles.mailbox import Mailbox
from tests.channels.builders import a_reply
from tests.channels.email.certificates import authority_and_server
from tests.channels.email.settings import some_settings

ALICE = EmailAddress(email_address="alice@example.com")


@pytest.fixture(scope="module")
def authority_and_context(tmp_path_factory):
    return authority_and_server(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def mailbox(authority_and_context):
    async with Mailbox.open(tls=authority_and_context[1], login=("agent", "s3cret-password")) as mailbox:
        yield mailbox


async def test_mail_goes_over_a_verified_line(mailbox: Mailbox, authority_and_context):
    settings = some_settings(mailbox, smtp_use_tls=True, smtp_ca_file=authority_and_context[0])
    async with Connections.open(settings) as connections:
        await EmailChannel(settings, connections).deliver(a_reply(), ALICE)

    assert len(mailbox.mails) == 1


async def test_an_unknown_certificate_gets_no_mail(mailbox: Mailbox):
    settings = some_settings(mailbox, smtp_use_tls=True)
    async with Connections.open(settings) as connections:
        with pytest.raises(TransientDeliveryError, match="certificate verify failed"):
            await EmailChannel(settings, connections).deliver(a_reply(), ALICE)

    assert mailbox.mails == ()


async def test_a_line_that_is_closing_does_not_disturb_the_stop(mailbox: Mailbox, authority_and_context):
    client = aiosmtplib.SMTP(
        hostname=mailbox.host, port=mailbox.port, start_tls=True, cert_bundle=str(authority_and_context[0])
    )
    await client.connect()
    await client.execute_command(b"QUIT")
    mailbox.hang_up()

    await mailbox.stop()

    client.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(mailbox.host, mailbox.port)


async def test_a_server_without_tls_gets_no_mail_when_tls_is_on():
    async with Mailbox.open() as plain:
        settings = some_settings(plain, smtp_use_tls=True, smtp_username=None, smtp_password=None)
        async with Connections.open(settings) as connections:
            with pytest.raises(TransientDeliveryError, match="STARTTLS"):
                await EmailChannel(settings, connections).deliver(a_reply(), ALICE)

        assert plain.mails == ()
