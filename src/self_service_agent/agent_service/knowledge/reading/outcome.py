"""What a file becomes when it is read: one plain text, and where in it everything stands."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CONTENT_LIMIT = 2_000_000  # characters of a document's text
FILE_LIMIT = 10_000_000  # bytes of a file
_HEADING_LIMIT = 200  # characters


class UnreadableDocument(Exception):
    """The file cannot be taken as a document; the message says why, for whoever brought it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph: `text[start:end]` of its document, under `heading`, which is empty before the first one."""

    heading: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its cells by column, and where the line stands that shows it."""

    cells: dict[str, str]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A document's text; a table has rows and no blocks."""

    text: str
    title: str | None = None
    blocks: tuple[Block, ...] = ()
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A heading (`level` 1 to 6) or a paragraph (`level` 0), as a format's reader finds them one after the other."""

    text: str
    level: int = 0


def composed(pieces: Iterable[Piece]) -> Reading:
    """Write the pieces of a document under each other as one text; raises `UnreadableDocument` if there is none."""
    written: list[str] = []
    blocks: list[Block] = []
    trail = Headings()
    at = 0
    for piece in _tidy(pieces):
        if at + len(piece.text) > CONTENT_LIMIT:
            raise UnreadableDocument(f"The document has more than {CONTENT_LIMIT:,} characters of text.")
        if piece.level:
            trail.enter(piece.text, piece.level)
        else:
            blocks.append(Block(trail.heading, at, at + len(piece.text)))
        written.append(piece.text)
        at += len(piece.text) + 2
    if not blocks:
        raise UnreadableDocument("There is no text in the document.")
    return Reading(text="\n\n".join(written), title=trail.title, blocks=tuple(blocks))


class Headings:
    """The headings that a place in a document stands under; the first one of the first level is the title."""

    def __init__(self) -> None:
        self.title: str | None = None
        self._open: list[tuple[int, str]] = []

    def enter(self, text: str, level: int) -> None:
        """Pass a heading; of one that is no heading any more, but a text, the beginning is kept."""
        text = text[:_HEADING_LIMIT]
        self._open = [(higher, name) for higher, name in self._open if higher < level]
        if level == 1 and self.title is None:
            self.title = text
        else:
            self._open.append((level, text))

    @property
    def heading(self) -> str:
        """The headings that are open, the outermost first; the title is not one of them."""
        return " / ".join(name for _, name in self._open)


def _tidy(pieces: Iterable[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        text = " ".join(printable(piece.text).split())
        if text:
            yield Piece(text, piece.level)


def printable(text: str) -> str:
    """Return `text` without what no database or terminal takes: NUL and other control characters, lone surrogates."""
    return "".join(each for each in text if each.isprintable() or each in "\n\t")
