"""Reads texts and Markdown; what is stored is the text as it was written, so that quotes are quotes of the source."""

import re
from collections.abc import Iterator

from .outcome import CONTENT_LIMIT, Block, Headings, Reading, UnreadableDocument, printable

_MARK = "\ufeff"
_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_FENCE = re.compile(r"```|~~~")


def read_text(content: bytes) -> Reading:
    """Read plain text: paragraphs are divided by empty lines."""
    text = decoded(content)
    blocks = tuple(Block("", match.start(), match.end()) for match in _PARAGRAPH.finditer(text))
    return _checked(Reading(text=text, blocks=blocks))


def read_markdown(content: bytes) -> Reading:
    """Read Markdown: paragraphs under headings that begin with `#`."""
    return read_markdown_text(decoded(content))


def read_markdown_text(text: str) -> Reading:
    """Read Markdown that is text already; spans are offsets into this very text."""
    trail = Headings()
    blocks = tuple(_blocks(text, trail))
    return _checked(Reading(text=text, title=trail.title, blocks=blocks))


def decoded(content: bytes) -> str:
    """Return the text of a file in UTF-8, with one sort of line ends."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableDocument(f"The file is not UTF-8 text (byte {error.start} is not).") from None
    if "\x00" in text:
        raise UnreadableDocument("The file is not text: it has NUL bytes.")
    if len(text) > CONTENT_LIMIT:
        raise UnreadableDocument(f"The document has more than {CONTENT_LIMIT:,} characters of text.")
    return printable(text.removeprefix(_MARK).replace("\r\n", "\n").replace("\r", "\n"))


def _blocks(text: str, trail: Headings) -> Iterator[Block]:
    """Yield the paragraphs; a heading ends one even without an empty line, and inside a fence nothing is a heading."""
    start = end = None
    fenced = False
    at = 0
    for line in text.split("\n"):
        heading = None if fenced else _HEADING.match(line)
        fenced ^= bool(_FENCE.match(line.lstrip()))
        if (heading or not line.strip()) and start is not None and end is not None:
            yield Block(trail.heading, start, end)
            start = None
        if heading:
            trail.enter(heading[2].rstrip(" \t#") or heading[2], len(heading[1]))
        elif line.strip():
            start = at + len(line) - len(line.lstrip()) if start is None else start
            end = at + len(line.rstrip())
        at += len(line) + 1
    if start is not None and end is not None:
        yield Block(trail.heading, start, end)


def _checked(reading: Reading) -> Reading:
    if not reading.blocks:
        raise UnreadableDocument("There is no text in the document.")
    return reading
