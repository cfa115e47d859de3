"""Every link inside the repository leads somewhere."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, prose

_LINK = re.compile(r"\]\(([^)\s]+)\)")


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_relative_link_resolves(page):
    links = [link for link in _LINK.findall(prose(page)) if "://" not in link]

    assert [link for link in links if not _resolves(link, page)] == []


def test_every_decision_has_its_three_parts_and_its_own_number():
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))

    assert [page.name[:4] for page in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for page in decisions:
        assert {"context", "decision", "consequences"} <= anchors(page), page.name
        assert page.read_text("utf-8").startswith(f"# {page.name[:4]} ")


def _resolves(link: str, page: Path) -> bool:
    place, _, anchor = link.partition("#")
    target = (page.parent / place).resolve() if place else page
    return target.exists() and (not anchor or anchor in anchors(target))
