from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from self_service_agent.channels.base import NoAddress, PermanentDeliveryError, TransientDeliveryError
from self_service_agent.channels.email import payload
from self_service_agent.channels.email.config import EmailAddress
from tests.channels.builders import a_person, a_reply

ALICE = EmailAddress(email_address="alice@example.com")
LONG_ID = f"<{'A' * 90}@eurprd04.prod.outlook.example.com>"


def a_mail(address: EmailAddress = ALICE, **changes) -> EmailMessage:
    raw = payload.message(a_reply(**changes), address, sender="agent@help.example.com", sender_name="Help Desk")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    return message_from_bytes(raw, policy=policy.SMTP)


def parts(mail: EmailMessage) -> tuple[str, str | None]:
    html = mail.get_body(("html",))
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n"), html and html.get_content()


def test_the_headers_say_what_it_is_and_for_whom():
    assert {name: value for name, value in a_mail().items() if name not in {"MIME-Version", "Content-Type"}} == {
        "From": "Help Desk <agent@help.example.com>",
        "To": "alice@example.com",
        "Subject": "Your laptop",
        "Date": "Fri, 20 Nov 2026 12:00:00 +0000",
        "Message-ID": "<0199a000-0000-7000-8000-000000000001@help.example.com>",
        "Auto-Submitted": "auto-generated",
        "X-Request-ID": "request-1",
        "X-Session-ID": "session-1",
        "X-Agent-ID": "laptop-refresh-agent",
    }


def test_an_html_mail_has_a_plain_part_too():
    text, html = parts(a_mail())

    assert a_mail().get_content_type() == "multipart/alternative"
    assert text == "Your new laptop is ordered.\n\n-- \nAnswered by laptop-refresh-agent\nRequest request-1\n"
    assert "<p>Your new laptop is ordered.</p>" in html
    assert "Answered by laptop-refresh-agent" in html


def test_a_text_mail_is_text_only():
    mail = a_mail(EmailAddress(email_address="alice@example.com", format="text", include_agent_info=False))

    assert mail.get_content_type() == "text/plain"
    assert parts(mail) == ("Your new laptop is ordered.\n", None)


def test_without_agent_info_there_is_no_footer():
    text, html = parts(a_mail(EmailAddress(email_address="alice@example.com", include_agent_info=False)))

    assert "request-1" not in text + html


def test_an_answer_without_an_agent_names_none():
    mail = a_mail(agent_id=None)

    assert mail["X-Agent-ID"] is None
    assert "Answered by" not in parts(mail)[0]


def test_an_address_alone_on_its_line_is_a_link_in_html():
    content = "To decide:\nhttps://help.example.com/a?b=1&c=2\n> see https://evil.example.com now\njavascript:alert(1)"
    _, html = parts(a_mail(content=content))

    address = "https://help.example.com/a?b=1&amp;c=2"
    assert f'<a href="{address}">{address}</a>' in html
    assert html.count("<a ") == 1


def test_what_was_said_stays_text_in_html():
    _, html = parts(a_mail(content='<script>alert("1")</script> & {braces}\n\nsecond\nthird', agent_id="<b>bold</b>"))

    assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; {braces}</p>" in html
    assert "<p>second<br>" in html.replace("\r\n", "")
    assert "<script>" not in html
    assert "<b>" not in html


@given(content=st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")))
def test_any_content_arrives_as_it_was(content):
    plain = EmailAddress(email_address="alice@example.com", format="text", include_agent_info=False)

    assert parts(a_mail(plain, content=content))[0] == content.rstrip() + "\n"


@given(subject=st.text(st.characters(codec="utf-8")), agent=st.text(st.characters(codec="utf-8"), min_size=1))
def test_no_text_can_add_a_header(subject, agent):
    known = set(a_mail().keys())

    mail = a_mail(subject=subject, agent_id=agent, request_id=agent, origin={"email_subject": subject})

    assert set(mail.keys()) <= known


def test_a_newline_in_the_subject_is_a_space():
    assert a_mail(subject="Hello\r\nBcc: mallory@example.com")["Subject"] == "Hello Bcc: mallory@example.com"


@pytest.mark.parametrize("subject", [None, "", " \n"])
def test_without_a_subject_there_is_a_plain_one(subject):
    assert a_mail(subject=subject)["Subject"] == "Answer to your request"


@pytest.mark.parametrize(
    ("origin", "subject", "in_reply_to", "references"),
    [
        pytest.param({}, "Your laptop", None, None, id="no mail is answered"),
        pytest.param({"email_subject": "Help"}, "Your laptop", None, None, id="a subject alone is no thread"),
        pytest.param({"email_message_id": "<a@x>"}, "Your laptop", "<a@x>", "<a@x>", id="a thread without a subject"),
        pytest.param(
            {"email_message_id": "<a@x>", "email_subject": "Help"}, "Re: Help", "<a@x>", "<a@x>", id="the first answer"
        ),
        pytest.param(
            {"email_message_id": "<c@x>", "email_subject": "RE: Help", "email_references": "<a@x>\r\n <b@x>"},
            "RE: Help",
            "<c@x>",
            "<a@x> <b@x> <c@x>",
            id="a later answer",
        ),
        pytest.param(
            {"email_message_id": "<b@x>", "email_subject": "AW: Hilfe", "email_in_reply_to": "<a@x>"},
            "AW: Hilfe",
            "<b@x>",
            "<a@x> <b@x>",
            id="a parent without references",
        ),
        pytest.param(
            {"email_message_id": "<b@x>", "email_references": "<a@x> <b@x>"},
            "Your laptop",
            "<b@x>",
            "<a@x> <b@x>",
            id="no id stands twice",
        ),
        pytest.param(
            {"email_message_id": "evil\r\nBcc: m@x", "email_subject": "Help"}, "Re: Help", None, None, id="no id at all"
        ),
    ],
)
def test_an_answer_goes_into_its_thread(origin, subject, *, in_reply_to, references):
    mail = a_mail(origin=origin)

    assert (mail["Subject"], mail["In-Reply-To"], mail["References"]) == (subject, in_reply_to, references)


def test_a_long_message_id_is_not_encoded():
    mail = a_mail(origin={"email_message_id": LONG_ID, "email_references": " ".join([LONG_ID.replace("A", "B")] * 3)})

    assert mail["In-Reply-To"].strip() == LONG_ID
    assert "=?" not in mail["References"]


def test_a_long_chain_keeps_its_root_and_its_newest_members():
    chain = [f"<{number}@x>" for number in range(50)]

    references = a_mail(origin={"email_message_id": "<50@x>", "email_references": " ".join(chain)})["References"]

    assert references.split() == ["<0@x>", *chain[32:], "<50@x>"]


@pytest.mark.parametrize(
    ("config", "email"),
    [
        ({}, "alice@example.com"),
        ({"email_address": "other@example.com"}, "other@example.com"),
        ({"email_address": ""}, "alice@example.com"),
    ],
)
def test_a_configured_address_comes_before_the_person_s(config, email):
    assert payload.address_of(a_person(), config, {}).email_address == email


def test_the_configuration_shapes_the_mail():
    config = {"format": "text", "include_agent_info": False, "include_signature": True}

    assert payload.address_of(a_person(), config, {}) == EmailAddress(
        email_address="alice@example.com", format="text", include_agent_info=False
    )


@pytest.mark.parametrize(
    ("email", "config", "complaint"),
    [
        (None, {}, "no e-mail address is known"),
        ("alice", {}, "email_address: "),
        ("a@x.example\r\nRCPT TO:<m@x.example>", {}, "email_address: "),
        ("a@x.example\n", {}, "email_address: "),
        ("a@x.example, b@x.example", {}, "email_address: "),
        ("<a@x.example>", {}, "email_address: "),
        ("ä@x.example", {}, "email_address: "),
        (f"{'a' * 65}@x.example", {}, "email_address: "),
        ("alice@example.com", {"format": "pdf"}, "format: Input should be 'html' or 'text'"),
    ],
)
def test_a_missing_or_wrong_address_is_named(email, config, complaint):
    with pytest.raises(NoAddress) as caught:
        payload.address_of(a_person(email=email), config, {})

    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        *((code, TransientDeliveryError) for code in (421, 450, 451, 452, 454)),
        *((code, PermanentDeliveryError) for code in (500, 550, 551, 552, 553, 554)),
        *((code, TransientDeliveryError) for code in (530, 534, 535, 538)),
        *((code, TransientDeliveryError) for code in (-1, 250, 999)),
    ],
)
def test_the_server_s_answer_says_whether_to_try_again(code, error):
    refusal = payload.refusal(code, "5.1.1 no\nsuch user")

    assert type(refusal) is error
    assert str(refusal) == f"smtp {code} 5.1.1 no such user"
