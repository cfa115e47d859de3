"""Looks at every reply before anybody sees it; a reply that fails a check is not sent."""

from collections.abc import Callable, Sequence

LENGTH_LIMIT = 16_000

ReplyCheck = Callable[[str], None]


class ReplyRefused(Exception):
    """A reply must not be sent; raised by a check."""


def check_reply(content: str, checks: Sequence[ReplyCheck]) -> str:
    """Return `content` if it may be sent, or raise `ReplyRefused`."""
    if not content.strip():
        raise ReplyRefused("the reply is empty")
    if len(content) > LENGTH_LIMIT:
        raise ReplyRefused("the reply is too long")
    for check in checks:
        check(content)
    return content
