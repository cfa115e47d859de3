"""Divides a document into passages: a few paragraphs under one heading, short enough to be compared with a question."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from .outcome import Block, Reading, UnreadableDocument

TOKEN_LIMIT = 180  # by our count; a model's own count is a little higher, and ends at 256
PASSAGE_LIMIT = 10_000
_MANY = 1_000  # paragraphs

_TOKEN = re.compile(r"\w+|[^\w\s]")
# A sentence ends before a capital letter or a digit, or where the next line begins an item of a list or a row.
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[\"'(\[A-Z0-9])|\n(?=\s*(?:[-*+|•]|\d+[.)])\s)")
_WORD = re.compile(r"\S+\s*")


@dataclass(frozen=True, slots=True)
class Passage:
    """`text[start:end]` of a document, under `heading`."""

    heading: str
    start: int
    end: int


def passages_of(reading: Reading) -> list[Passage]:
    """Return the passages of a text in order; a table is one passage as a whole."""
    if reading.rows:
        return [Passage("", 0, len(reading.text))]
    found: list[Passage] = []
    for heading, blocks in groupby(reading.blocks, key=lambda block: block.heading):
        parts = [part for block in blocks for part in _parts(reading.text, block)]
        found += (Passage(heading, start, end) for start, end in _gathered(reading.text, parts))
    return found


def compact(reading: Reading) -> Reading:
    """Return a reading of so many paragraphs with the passages in their place, which are fewer and divide it alike.

    Raises `UnreadableDocument` if even these are too many.
    """
    if len(reading.blocks) <= _MANY:
        return reading
    found = passages_of(reading)
    if len(found) > PASSAGE_LIMIT:
        raise UnreadableDocument(f"The document has more than {PASSAGE_LIMIT:,} passages.")
    return replace(reading, blocks=tuple(Block(each.heading, each.start, each.end) for each in found))


def sentences_of(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of `text` begin and end."""
    starts = [0, *(match.end() for match in _BETWEEN_SENTENCES.finditer(text))]
    ends = [*(match.start() for match in _BETWEEN_SENTENCES.finditer(text)), len(text)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if text[start:end].strip()]


def tokens_in(text: str) -> int:
    """Return how many words and signs `text` has."""
    return sum(1 for _ in _TOKEN.finditer(text))


def _parts(text: str, block: Block) -> Iterator[tuple[int, int]]:
    """Yield the block, or its sentences if it is too long, or pieces of a sentence that is too long by itself."""
    if tokens_in(text[block.start : block.end]) <= TOKEN_LIMIT:
        yield block.start, block.end
        return
    for start, end in sentences_of(text[block.start : block.end]):
        yield from _pieces(text, block.start + start, block.start + end)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    count, since, until = 0, start, start
    for word in _WORD.finditer(text, start, end):
        size = tokens_in(word[0])
        if count and count + size > TOKEN_LIMIT:
            yield since, until
            count, since = 0, word.start()
        count, until = count + size, word.start() + len(word[0].rstrip())
    yield since, until


def _gathered(text: str, parts: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Put neighbours together for as long as they fit into one passage; no part ends inside a word."""
    since, until = parts[0]
    count = tokens_in(text[since:until])
    for start, end in parts[1:]:
        count += tokens_in(text[until:end])
        if count > TOKEN_LIMIT:
            yield since, until
            since, count = start, tokens_in(text[start:end])
        until = end
    yield since, until
