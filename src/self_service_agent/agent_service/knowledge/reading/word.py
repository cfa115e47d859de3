"""Reads Word documents (docx): headings, paragraphs and the rows of tables."""

import io
import re
import zipfile
from collections.abc import Iterator

from docx import Document
from docx.opc.exceptions import OpcError
from docx.table import Table
from docx.text.paragraph import Paragraph

from .outcome import Piece, Reading, UnreadableDocument, composed

_UNPACKED_LIMIT = 60_000_000  # bytes of all parts together
_PARTS = 2_000
_UNTITLED = "Word Document"  # what the library calls a document that has no properties
_LEVEL = re.compile(r"heading (\d)", re.IGNORECASE)


def read_docx(content: bytes) -> Reading:
    """Read a Word document; refuses one that would unpack to much more than it says anything."""
    try:
        _refuse_bombs(content)
        document = Document(io.BytesIO(content))
        reading = composed(_pieces(document.iter_inner_content()))
        title = document.core_properties.title.removeprefix(_UNTITLED) or None
    except (zipfile.BadZipFile, OpcError, KeyError, ValueError, AttributeError, SyntaxError, RecursionError) as error:
        raise UnreadableDocument(f"The Word document is broken: {type(error).__name__}.") from None
    return Reading(text=reading.text, title=reading.title or title, blocks=reading.blocks)


def _refuse_bombs(content: bytes) -> None:
    """Look at what the archive says of itself; the library reads no part further than that."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
    if len(parts) > _PARTS or sum(part.file_size for part in parts) > _UNPACKED_LIMIT:
        raise UnreadableDocument(f"The Word document unpacks to more than {_UNPACKED_LIMIT // 1_000_000} MB.")


def _pieces(content: Iterator[Paragraph | Table]) -> Iterator[Piece]:
    for item in content:
        if isinstance(item, Paragraph):
            yield Piece(item.text, _level(item))
            continue
        for row in item.rows:
            yield Piece("; ".join(cell.text.strip() for cell in row.cells))


def _level(paragraph: Paragraph) -> int:
    style = str(paragraph.style.name) if paragraph.style is not None else ""
    if style == "Title":
        return 1
    found = _LEVEL.fullmatch(style)
    return min(int(found[1]) + 1, 6) if found else 0
