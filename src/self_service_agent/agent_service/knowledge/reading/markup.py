"""Reads HTML: headings, paragraphs, list items and table rows; scripts, styles and what is hidden are left out."""

from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from .outcome import Piece, Reading, UnreadableDocument, composed

_LEFT_OUT = ("script", "style", "template", "noscript", "head", "nav", "iframe", "object", "svg", "form", "button")
_DIVIDING_TEXT = """
    address article aside blockquote body dd details div dl dt figcaption figure footer header html li main ol p pre
    section summary table tbody td tfoot th thead tr ul br hr
"""
_DIVIDING = frozenset(_DIVIDING_TEXT.split())
_LEVELS = {f"h{level}": level for level in range(1, 7)}


def read_html(content: bytes) -> Reading:
    """Read a page; the first heading of the first level is its title, or else what its head says."""
    try:
        page = BeautifulSoup(content, "html.parser")
        title = page.title.get_text(" ", strip=True) if page.title else None
        for element in page(_LEFT_OUT):
            element.decompose()
        for element in page(_is_hidden):
            element.decompose()
        reading = composed(_pieces(page))
    except RecursionError:
        raise UnreadableDocument("The page is nested too deeply.") from None
    return Reading(text=reading.text, title=reading.title or title or None, blocks=reading.blocks)


def _is_hidden(element: Tag) -> bool:
    style = str(element.get("style", "")).replace(" ", "").lower()
    return element.has_attr("hidden") or "display:none" in style or element.get("aria-hidden") == "true"


def _pieces(page: BeautifulSoup) -> Iterator[Piece]:
    """Yield the text between the elements that divide a page, in order, without recursion into the tree."""
    gathered: list[str] = []
    level = 0
    cells = 0
    for node in page.descendants:
        if isinstance(node, Tag):
            inside = _row_of(node) if node.name in {"td", "th"} else None
            if inside is not None:
                gathered.append("; " if cells else "")
                cells += 1
                continue
            if node.name in _LEVELS or node.name in _DIVIDING:
                yield Piece("".join(gathered), level)
                gathered, level, cells = [], 0, 0
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            found = _level(node)
            if found != level:
                yield Piece("".join(gathered), level)
                gathered, level = [], found
            gathered.append(str(node))
    yield Piece("".join(gathered), level)


def _row_of(cell: Tag) -> Tag | None:
    return cell.find_parent("tr")


def _level(node: NavigableString) -> int:
    heading = node.find_parent(list(_LEVELS))
    return _LEVELS[heading.name] if heading else 0
