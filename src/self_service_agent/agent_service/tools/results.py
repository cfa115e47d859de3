"""Makes what a tool answered fit to be kept and shown: data of a bounded size, without invisible characters.

What comes out is never read as a command or a template; it fills places in texts, as it stands.
"""

import unicodedata
from typing import Any

LONGEST_TEXT = 20_000
DEEPEST = 16
MOST_VALUES = 5_000

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_KEPT = frozenset("\n\t")


class ResultRefused(ValueError):
    """The answer is too large or too deep to be kept."""


def tidy(result: dict[str, Any]) -> dict[str, Any]:
    """Return the answer without control and invisible characters, or raise `ResultRefused`."""
    return _Tidying().mapping(result, depth=1)


class _Tidying:
    """Counts the values of one answer while it is copied."""

    def __init__(self) -> None:
        self._values = 0

    def mapping(self, value: dict[str, Any], *, depth: int) -> dict[str, Any]:
        return {visible(name): self._value(inner, depth=depth) for name, inner in value.items()}

    def _value(self, value: Any, *, depth: int) -> Any:
        self._values += 1
        if self._values > MOST_VALUES:
            raise ResultRefused(f"more than {MOST_VALUES} values")
        match value:
            case str():
                return visible(value)
            case dict() | list() if depth == DEEPEST:
                raise ResultRefused(f"nested more than {DEEPEST} deep")
            case dict():
                return self.mapping(value, depth=depth + 1)
            case list():
                return [self._value(inner, depth=depth + 1) for inner in value]
            case _:
                return value


def visible(text: str) -> str:
    """Return `text` without control and invisible characters, or raise `ResultRefused` if it is too long."""
    if len(text) > LONGEST_TEXT:
        raise ResultRefused(f"a text of more than {LONGEST_TEXT} characters")
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter for letter in text if letter in _KEPT or unicodedata.category(letter) not in _INVISIBLE)
