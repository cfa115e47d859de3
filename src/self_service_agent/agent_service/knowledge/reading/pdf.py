"""Reads the text of a PDF, page by page."""

import io
import re
from collections.abc import Iterator

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from .outcome import Piece, Reading, UnreadableDocument, composed

_PAGES = 1_000
_PARAGRAPHS = re.compile(r"\n\s*\n")


def read_pdf(content: bytes) -> Reading:
    """Read a PDF; a page is its paragraphs' heading, as the format knows no other."""
    try:
        document = PdfReader(io.BytesIO(content))
        if document.is_encrypted:
            raise UnreadableDocument("The PDF is protected by a password.")
        if len(document.pages) > _PAGES:
            raise UnreadableDocument(f"The PDF has more than {_PAGES:,} pages.")
        title = document.metadata.title if document.metadata else None
        reading = composed(_pieces(document))
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError) as error:
        # Whatever a broken file makes the library stumble over.
        raise UnreadableDocument(f"The PDF is broken: {type(error).__name__}.") from None
    return Reading(text=reading.text, title=title or None, blocks=reading.blocks)


def _pieces(document: PdfReader) -> Iterator[Piece]:
    for number, page in enumerate(document.pages, start=1):
        yield Piece(f"Page {number}", level=2)
        for paragraph in _PARAGRAPHS.split(page.extract_text()):
            yield Piece(paragraph)
