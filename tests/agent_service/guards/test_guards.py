"""What may come in, and what may go out."""

import pytest

from self_service_agent.agent_service.guards import incoming, outgoing


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("  hello  ", "hello"),
        ("y\u200bes", "yes"),
        ("a\x00b\x1b[31m", "ab[31m"),
        ("\u202eevil", "evil"),
        ("one\ntwo", "one\ntwo"),
        ("a\tb  c", "a b c"),
        ("cafe\u0301", "caf\u00e9"),
        ("日本語 ok", "日本語 ok"),
    ],
)
def test_messages_are_tidied(content, text):
    assert incoming.tidy(content) == text


@pytest.mark.parametrize("content", ["", " ", "\n\t", "\u200b", "x" * (incoming.LENGTH_LIMIT + 1)])
def test_messages_without_text_or_end_are_refused(content):
    with pytest.raises(incoming.MessageRefused):
        incoming.tidy(content)


@pytest.mark.parametrize("content", ["", "  ", "x" * (outgoing.LENGTH_LIMIT + 1)])
def test_replies_without_text_or_end_are_refused(content):
    with pytest.raises(outgoing.ReplyRefused):
        outgoing.check_reply(content, [])


def test_every_check_sees_the_reply():
    seen: list[str] = []

    outgoing.check_reply("fine", [seen.append, seen.append])

    assert seen == ["fine", "fine"]
