"""Research without a model: several ways to ask one question, and what the sources say side by side."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from self_service_agent.agent_service.understanding.words import content_tokens

_MOST_QUESTIONS: Final = 5
_FEWEST_WORDS: Final = 2
_PARTS = re.compile(r"[?;.!\n]+|,?\s+(?:and|or|but|versus|vs\.?|as well as|compared (?:to|with))\s+", re.IGNORECASE)
_NUMBERS: Final[Mapping[str, str]] = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}  # fmt: skip
_MEASURES: Final = (
    "years?", "months?", "weeks?", "days?", "hours?", "minutes?", "percent", "%", "euros?", "EUR", "dollars?", "USD",
    "GB", "MB", "TB", "characters?", "letters?", "digits?", "times", "attempts?", "people", "laptops?", "licen[cs]es?",
)  # fmt: skip
_FACT = re.compile(
    rf"(?<![\w.,-])(\d+(?:[.,]\d+)*|{'|'.join(_NUMBERS)})[\s-]?"
    rf"((?:(?:working|business|calendar|full)\s)?(?:{'|'.join(_MEASURES)}))(?!\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A number with what it counts."""

    measure: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A fact, and the numbers of the sources that state it, from 1."""

    fact: Fact
    sources: tuple[int, ...]


def questions_of(text: str) -> tuple[str, ...]:
    """Return `text` as it is and each of its parts by itself, which find what the whole does not."""
    whole = text.strip()
    parts = [part.strip(" ,") for part in _PARTS.split(whole)]
    ways = [whole, *(part for part in parts if len(content_tokens(part)) >= _FEWEST_WORDS)]
    return tuple(_distinct(way for way in ways if way))[:_MOST_QUESTIONS]


def facts_in(text: str) -> tuple[Fact, ...]:
    """Return the numbers that a text states, in their order and each once."""
    return tuple(dict.fromkeys(_fact(*match.groups()) for match in _FACT.finditer(text)))


def side_by_side(texts: Sequence[str]) -> list[Row]:
    """Return every number that the sources state, by what it counts; those of most sources first."""
    stated: dict[Fact, list[int]] = {}
    for number, text in enumerate(texts, start=1):
        for fact in facts_in(text):
            stated.setdefault(fact, []).append(number)
    rows = [Row(fact=fact, sources=tuple(sources)) for fact, sources in stated.items()]
    return sorted(rows, key=lambda row: (row.fact.measure, -len(row.sources), row.sources))


def verdict_of(row: Row, rows: Iterable[Row]) -> str:
    """Return how a row stands to the others: the same in several sources, against another number, or alone."""
    others = [other for other in rows if other.fact.measure == row.fact.measure and other.fact != row.fact]
    elsewhere = {source for other in others for source in other.sources} - set(row.sources)
    if elsewhere:
        return "differs"
    return "agrees" if len(row.sources) > 1 else "one source"


def _fact(value: str, measure: str) -> Fact:
    words = " ".join(measure.lower().split())
    singular = words if words in {"times", "%"} else words.removesuffix("s")
    return Fact(measure="percent" if singular == "%" else singular, value=_NUMBERS.get(value.lower(), value))


def _distinct(ways: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for way in ways:
        meaning = " ".join(content_tokens(way)) or way.casefold()
        if meaning not in seen:
            seen.add(meaning)
            yield way
