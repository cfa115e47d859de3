"""The facts in a text: numbers, dates, prices, codes, ticket numbers, addresses and model names."""

import re
from collections.abc import Iterable

_FACT = re.compile(
    r"""
    https?://[^\s)\]>"']+                         # an address on the web
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                # an e-mail address
    | \d{4}-\d{2}-\d{2}                           # a date
    | \b\w+(?:-\w+)*-?\d[\w-]*                    # a code or a number with letters: na-std-14, T14, REQ0010001
    | \d+(?:[.,]\d+)*                             # a number
    | \b[A-Z][a-z]+[A-Z]\w*                       # a name with a capital inside: ThinkPad
    """,
    re.VERBOSE,
)
_LIST_NUMBER = re.compile(r"^\d{1,2}\. ", re.MULTILINE)
_TRAILING = ".,;:!?"


def facts_in(text: str) -> frozenset[str]:
    """Return the facts that `text` states, in small letters; the numbers of a list's lines are none."""
    found = _FACT.findall(_LIST_NUMBER.sub("", text))
    return frozenset(fact.rstrip(_TRAILING).lower() for fact in found)


def ungrounded(text: str, sources: Iterable[str]) -> frozenset[str]:
    """Return the facts of `text` that occur in none of `sources`."""
    stated = facts_in(text)
    for source in sources:
        if not stated:
            break
        known = facts_in(source)
        plain = source.lower()
        stated = frozenset(fact for fact in stated if fact not in known and not _names(fact, plain))
    return stated


def _names(fact: str, plain: str) -> bool:
    """Say whether a source has a fact that is more than a number as a word of it."""
    return not fact.replace(".", "").replace(",", "").isdigit() and fact in plain
