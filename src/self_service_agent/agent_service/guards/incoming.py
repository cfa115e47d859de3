"""Makes what a person wrote fit to be read: no invisible characters, no endless texts."""

import re
import unicodedata

LENGTH_LIMIT = 8_000
_SPACES = re.compile(r"[^\S\n]+")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


class MessageRefused(Exception):
    """The message will not be read; `reason` can be shown to whoever wrote it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def tidy(content: str) -> str:
    """Return `content` composed, without control and invisible characters, or raise `MessageRefused`."""
    if len(content) > LENGTH_LIMIT:
        raise MessageRefused(
            f"That is longer than the {LENGTH_LIMIT} characters I can read at once. Please shorten it."
        )
    text = _SPACES.sub(" ", _visible(content)).strip()
    if not text:
        raise MessageRefused("I received a message without any text. Please write what you need.")
    return text


def _visible(content: str) -> str:
    if content.isascii() and content.isprintable():
        return content
    composed = unicodedata.normalize("NFC", content)
    return "".join(letter for letter in composed if letter == "\n" or not _is_invisible(letter))


def _is_invisible(letter: str) -> bool:
    return letter != "\t" and unicodedata.category(letter) in _INVISIBLE
