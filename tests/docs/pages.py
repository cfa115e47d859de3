"""The documents as tests read them: their files, fenced blocks, tables and headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and what it holds."""

    language: str
    text: str


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the fenced blocks of a page that are in one of these languages."""
    found = (Block(*match.groups()) for match in _FENCE.finditer(page.read_text("utf-8")))
    return [block for block in found if block.language in languages]


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as they are formed on the forges."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of every table row."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def section(page: Path, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    _, _, after = page.read_text("utf-8").partition(f"\n## {heading}\n")
    return after.partition("\n## ")[0]


def commands(*pages: Path) -> list[str]:
    """Return the shell commands of the pages, each on one line."""
    scripts = (block.text for page in pages for block in blocks(page, "sh"))
    return [line for script in scripts for line in script.replace("\\\n", " ").splitlines() if line.strip()]
