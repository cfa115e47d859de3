"""Which files can be read, and what reads each of them."""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

from .outcome import Reading, UnreadableDocument
from .plain import read_markdown, read_text
from .tables import read_csv

# Formats that others define are read in a process of their own, and so is whatever is long: see `process.py`.
OWN: Final[Mapping[str, Callable[[bytes], Reading]]] = MappingProxyType(
    {"text/plain": read_text, "text/markdown": read_markdown, "text/csv": read_csv}
)
_BY_ENDING: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".txt": "text/plain",
        ".md": "text/markdown",
        ".markdown": "text/markdown",
        ".html": "text/html",
        ".htm": "text/html",
        ".pdf": "application/pdf",
        ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".csv": "text/csv",
        ".yaml": "application/yaml",
        ".yml": "application/yaml",
    }
)
MEDIA_TYPES: Final = frozenset(_BY_ENDING.values())


def media_type_of(name: str) -> str:
    """Return the media type that a file's ending stands for; raises `UnreadableDocument` for one we cannot read."""
    media_type = _BY_ENDING.get(PurePath(name).suffix.lower())
    if media_type is None:
        raise UnreadableDocument(f"{PurePath(name).name} is none of {', '.join(sorted(_BY_ENDING))}.")
    return media_type


def foreign_reader(media_type: str) -> Callable[[bytes], Reading]:
    """Return what reads a format of others; its library is imported here, in the process that reads."""
    if media_type == "text/html":
        from .markup import read_html  # noqa: PLC0415  # see above

        return read_html
    if media_type == "application/pdf":
        from .pdf import read_pdf  # noqa: PLC0415  # see above

        return read_pdf
    if media_type == "application/yaml":
        from .tables import read_yaml  # noqa: PLC0415  # see above

        return read_yaml
    from .word import read_docx  # noqa: PLC0415  # see above

    return read_docx
