import asyncio
from dataclasses import replace

import pytest

from self_service_agent.channels.base import (
    PermanentDeliveryError,
    Receipt,
    TransientDeliveryError,
    UnknownOutcomeError,
)
from self_service_agent.channels.email.channel import EmailChannel
from self_service_agent.channels.email.config import EmailAddress
from self_service_agent.channels.email.connections import Connections
from self_service_agent.doubles.mailbox import Fault, Mailbox, Stage
from tests.channels.builders import a_reply
from tests.channels.email.settings import some_settings

ALICE = EmailAddress(email_address="alice@example.com")


@pytest.fixture
async def mailbox():
    async with Mailbox.open(login=("agent", "s3cret-password")) as mailbox:
        yield mailbox


@pytest.fixture
async def channel(mailbox: Mailbox):
    settings = some_settings(mailbox, smtp_connections=2)
    async with Connections.open(settings) as connections:
        yield EmailChannel(settings, connections)


async def test_a_delivered_mail_lies_in_the_mailbox(channel: EmailChannel, mailbox: Mailbox):
    receipt = await channel.deliver(a_reply(), ALICE)

    assert receipt == Receipt(
        external_id=f"<{a_reply().delivery_id}@help.example.com>", detail={"answer": "2.0.0 taken"}
    )
    [mail] = mailbox.mails
    assert (mail.sender, mail.recipients) == ("agent@help.example.com", ("alice@example.com",))
    assert (mail.subject, mail.headers["Message-ID"]) == ("Your laptop", receipt.external_id)


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize(
    ("answer", "error"), [("451 later", TransientDeliveryError), ("550 no", PermanentDeliveryError)]
)
async def test_each_stage_s_refusal_is_told(channel: EmailChannel, mailbox: Mailbox, *, stage, answer, error):
    mailbox.fail(stage, answer)

    with pytest.raises(error, match=f"smtp {answer}") as caught:
        await channel.deliver(a_reply(), ALICE)

    assert type(caught.value) is error
    assert mailbox.mails == ()


@pytest.mark.parametrize("stage", [Stage.SENDER, Stage.RECIPIENT])
@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.HANG])
async def test_a_line_that_breaks_before_the_content_is_transient(mailbox: Mailbox, stage, fault):
    mailbox.fail(stage, fault)
    settings = some_settings(mailbox, smtp_timeout_seconds=0.05)
    async with Connections.open(settings) as connections:
        with pytest.raises(TransientDeliveryError) as caught:
            await EmailChannel(settings, connections).deliver(a_reply(), ALICE)

    assert type(caught.value) is TransientDeliveryError


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_line_that_breaks_after_the_content_leaves_the_outcome_unknown(mailbox: Mailbox, fault):
    mailbox.fail(Stage.CONTENT, fault)
    settings = some_settings(mailbox, smtp_timeout_seconds=0.05)
    async with Connections.open(settings) as connections:
        with pytest.raises(UnknownOutcomeError):
            await EmailChannel(settings, connections).deliver(a_reply(), ALICE)


async def test_a_mail_whose_answer_was_lost_comes_again_with_the_same_id(channel: EmailChannel, mailbox: Mailbox):
    mailbox.fail(Stage.CONTENT, Fault.LOSE_ANSWER)
    with pytest.raises(UnknownOutcomeError):
        await channel.deliver(a_reply(), ALICE)

    await channel.deliver(a_reply(), ALICE)

    first, second = mailbox.mails
    assert first.headers["Message-ID"] == second.headers["Message-ID"]


async def test_a_wrong_login_loses_no_mail_and_says_what_to_repair(mailbox: Mailbox):
    settings = some_settings(mailbox, smtp_password="wr0ng")
    async with Connections.open(settings) as connections:
        with pytest.raises(TransientDeliveryError, match=r"refuses our login \(535\): check SMTP_USERNAME") as caught:
            await EmailChannel(settings, connections).deliver(a_reply(), ALICE)

    assert "wr0ng" not in str(caught.value)


async def test_a_missing_login_is_transient(mailbox: Mailbox):
    settings = some_settings(mailbox, smtp_username=None, smtp_password=None)
    async with Connections.open(settings) as connections:
        with pytest.raises(TransientDeliveryError, match="smtp 530"):
            await EmailChannel(settings, connections).deliver(a_reply(), ALICE)


async def test_a_server_out_of_reach_is_transient(channel: EmailChannel, mailbox: Mailbox):
    await mailbox.stop()

    with pytest.raises(TransientDeliveryError, match="no SMTP connection"):
        await channel.deliver(a_reply(), ALICE)


async def test_a_server_that_turns_everybody_away_is_transient(mailbox: Mailbox):
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 5.3.2 no service here\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    settings = some_settings(mailbox, smtp_port=server.sockets[0].getsockname()[1])
    async with server, Connections.open(settings) as connections:
        with pytest.raises(TransientDeliveryError, match="the SMTP server answers 554"):
            await EmailChannel(settings, connections).deliver(a_reply(), ALICE)


async def test_a_second_mail_uses_the_same_connection(channel: EmailChannel, mailbox: Mailbox):
    for number in range(5):
        await channel.deliver(a_reply(delivery_id=str(number)), ALICE)

    assert (len(mailbox.mails), mailbox.connection_count) == (5, 1)


async def test_at_most_as_many_connections_as_allowed(channel: EmailChannel, mailbox: Mailbox):
    replies = [a_reply(delivery_id=str(number)) for number in range(20)]

    await asyncio.gather(*(channel.deliver(reply, ALICE) for reply in replies))

    assert (len(mailbox.mails), mailbox.connection_count) == (20, 2)


async def test_a_connection_that_the_server_dropped_is_replaced(channel: EmailChannel, mailbox: Mailbox):
    await asyncio.gather(*(channel.deliver(a_reply(), ALICE) for _ in range(2)))
    mailbox.hang_up()

    await channel.deliver(a_reply(), ALICE)

    assert len(mailbox.mails) == 3


@pytest.mark.parametrize("fault", [Fault.CLOSE, "421 4.4.2 too many mails on this connection"])
async def test_a_kept_connection_that_is_given_up_costs_no_attempt(channel: EmailChannel, mailbox: Mailbox, fault):
    await channel.deliver(a_reply(), ALICE)
    mailbox.fail(Stage.SENDER, fault)

    await channel.deliver(a_reply(), ALICE)

    assert (len(mailbox.mails), mailbox.connection_count) == (2, 2)


async def test_a_connection_that_idled_too_long_is_not_used_again(mailbox: Mailbox):
    settings = some_settings(mailbox, smtp_idle_seconds=0)
    async with Connections.open(settings) as connections:
        channel = EmailChannel(settings, connections)
        for _ in range(2):
            await channel.deliver(a_reply(), ALICE)

    assert (len(mailbox.mails), mailbox.connection_count) == (2, 2)


async def test_a_refused_sender_on_a_kept_connection_is_told(channel: EmailChannel, mailbox: Mailbox):
    await channel.deliver(a_reply(), ALICE)
    mailbox.fail(Stage.SENDER, "553 5.7.1 not your address")

    with pytest.raises(PermanentDeliveryError, match="smtp 553"):
        await channel.deliver(a_reply(), ALICE)


async def test_mail_flows_again_after_the_server_restarts(channel: EmailChannel, mailbox: Mailbox):
    await channel.deliver(a_reply(), ALICE)
    await mailbox.stop()
    with pytest.raises(TransientDeliveryError):
        await channel.deliver(a_reply(), ALICE)
    await mailbox.start()

    await channel.deliver(a_reply(), ALICE)

    assert len(mailbox.mails) == 2


async def test_a_dot_on_a_line_of_its_own_does_not_end_the_mail(channel: EmailChannel, mailbox: Mailbox):
    reply = replace(a_reply(), content="before\n.\n..\nafter")

    await channel.deliver(reply, ALICE)

    assert mailbox.mails[0].text.startswith("before\n.\n..\nafter\n")
