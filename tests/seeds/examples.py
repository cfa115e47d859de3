"""The examples of a document, by the chapter they stand in."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
GUIDE = HERE / "integration_guide.txt"
LAYER = HERE / "request_management_layer.txt"

_PART = re.compile(r"^#+ (?P<chapter>[^\n]+)$|^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """Something printed: its chapter, its language and itself."""

    chapter: str
    language: str
    text: str


@dataclass(frozen=True)
class Call:
    """An example that is an HTTP request; `body` may hold the names of types where values belong."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


def examples_of(page: Path) -> Iterator[Example]:
    """Yield everything printed, in its order."""
    chapter = ""
    for part in _PART.finditer(page.read_text("utf-8")):
        chapter = part["chapter"] or chapter
        if part["text"]:
            yield Example(chapter, part["language"], part["text"])


def printed(page: Path, chapter: str) -> list[str]:
    """Return the texts of a chapter."""
    return [each.text for each in examples_of(page) if each.chapter == chapter]


def the_text(page: Path, chapter: str) -> str:
    """Return the only text of a chapter."""
    (text,) = printed(page, chapter)
    return text


def the_document(page: Path, chapter: str) -> Any:
    """Return what the JSON of a chapter says."""
    return json.loads(the_text(page, chapter))


def the_call(page: Path, chapter: str) -> Call:
    """Return the request of a chapter: its first line, its headers, its body."""
    head, brace, body = the_text(page, chapter).partition("{\n")
    first, *rest = head.split("\n")
    method, path = first.split()
    headers = dict(line.split(": ", 1) for line in rest if line)
    notation = (brace + body).replace(" (optional)", "")
    return Call(method, path, headers, json.loads(notation) if notation else None)


def table(page: Path) -> list[dict[str, str]]:
    """Return the rows of the page's table by its headings."""
    lines = [line for line in page.read_text("utf-8").splitlines() if line.startswith("|")]
    heading, _, *rows = ([cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(heading, row, strict=True)) for row in rows]
