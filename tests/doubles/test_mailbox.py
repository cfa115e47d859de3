from datetime import timedelta
from email.message import EmailMessage

import aiosmtplib
import pytest

from self_service_agent.doubles.mailbox import Fault, Mailbox, Stage


def a_mail(subject: str = "Hello") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Agent <agent@example.com>"
    mail["To"] = "alice@example.com"
    mail["Subject"] = subject
    mail.set_content("Grüße")
    mail.add_alternative("<p>Grüße</p>", subtype="html")
    return mail


async def send(mailbox: Mailbox, mail: EmailMessage) -> None:
    await aiosmtplib.send(
        mail, hostname=mailbox.host, port=mailbox.port, local_hostname="test.invalid", start_tls=False
    )


async def test_it_keeps_a_mail_in_parts():
    async with Mailbox.open() as mailbox:
        await send(mailbox, a_mail("Grüße aus Köln"))

        [mail] = await mailbox.wait_for(1)
        assert (mail.sender, mail.recipients) == ("agent@example.com", ("alice@example.com",))
        assert (mail.subject, mail.headers["subject"]) == ("Grüße aus Köln", "Grüße aus Köln")
        assert (mail.text, mail.html) == ("Grüße\n", "<p>Grüße</p>\n")
        assert mail.raw.startswith(b"From: Agent <agent@example.com>\r\n")


async def test_it_keeps_the_newest_and_can_forget():
    async with Mailbox.open(keep=2) as mailbox:
        for subject in "abc":
            await send(mailbox, a_mail(subject))

        assert [mail.subject for mail in await mailbox.wait_for(3)] == ["b", "c"]
        mailbox.clear()
        assert mailbox.mails == ()


@pytest.mark.parametrize(
    ("stage", "error"),
    [
        (Stage.SENDER, aiosmtplib.SMTPSenderRefused),
        (Stage.RECIPIENT, aiosmtplib.SMTPRecipientsRefused),
        (Stage.CONTENT, aiosmtplib.SMTPDataError),
    ],
)
async def test_it_refuses_once_as_told(stage, error):
    async with Mailbox.open() as mailbox:
        mailbox.fail(stage, "550 no")

        with pytest.raises(error):
            await send(mailbox, a_mail())
        await send(mailbox, a_mail())

        assert len(mailbox.mails) == 1


@pytest.mark.parametrize(("fault", "kept"), [(Fault.CLOSE, 0), (Fault.LOSE_ANSWER, 1)])
async def test_it_hangs_up_with_or_without_the_mail(fault, kept):
    async with Mailbox.open() as mailbox:
        mailbox.fail(Stage.CONTENT, fault)

        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await send(mailbox, a_mail())

        assert len(mailbox.mails) == kept


async def test_it_comes_back_on_the_same_port():
    async with Mailbox.open() as mailbox:
        port = mailbox.port
        await mailbox.stop()
        with pytest.raises(aiosmtplib.SMTPConnectError):
            await send(mailbox, a_mail())

        await mailbox.start()

        await send(mailbox, a_mail())
        assert (mailbox.port, len(mailbox.mails)) == (port, 1)


async def test_without_the_login_it_takes_nothing():
    async with Mailbox.open(login=("agent", "right")) as mailbox:
        with pytest.raises(aiosmtplib.SMTPSenderRefused):
            await send(mailbox, a_mail())


async def test_waiting_in_vain_times_out():
    async with Mailbox.open() as mailbox:
        with pytest.raises(TimeoutError):
            await mailbox.wait_for(1, timedelta(milliseconds=5))
