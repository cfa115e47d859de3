"""What the agents' files say, read as plain files: the ground on which answers have to stand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from .scenarios import Offer


@dataclass(frozen=True)
class AgentFiles:
    """A folder of agents as it lies on disk."""

    folder: Path

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every file, as it is."""
        return tuple(
            path.read_text("utf-8") for path in sorted(self.folder.rglob("*")) if path.suffix in {".yaml", ".md"}
        )

    @cached_property
    def documents(self) -> tuple[str, ...]:
        """The documents, with their spaces made even."""
        return tuple(_even(path.read_text("utf-8")) for path in sorted(self.folder.rglob("*.md")))

    @cached_property
    def refresh_months(self) -> Mapping[str, int]:
        """The refresh period of each class of laptops."""
        return {row["laptop_class"]: row["months"] for row in self._rows("refresh_policy")}

    @cached_property
    def rows_by_code(self) -> Mapping[str, Mapping[str, Any]]:
        """The rows of all tables by the value of their first column."""
        tables = (self._rows(path.stem) for path in sorted((self.folder / "tables").glob("*.yaml")))
        return {str(next(iter(row.values()))): row for rows in tables for row in rows}

    def names_of(self, code: str) -> tuple[str, ...]:
        """Return what something may be called in a summary: its code, and the name that a table gives it."""
        name = self.rows_by_code.get(code, {}).get("name")
        return (code,) if name is None else (code, str(name))

    def offered(self, offer: Offer) -> list[str]:
        """Return the keys of the rows that have to be offered, in the order of the table."""
        rows = self._rows(offer.table)
        return [str(next(iter(row.values()))) for row in rows if offer.where.items() <= row.items()]

    def has_passage(self, text: str) -> bool:
        """Say whether a document holds `text`."""
        return any(_even(text) in document for document in self.documents)

    def _rows(self, table: str) -> list[dict[str, Any]]:
        path = self.folder / "tables" / f"{table}.yaml"
        rows: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))
        return rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)


def _even(text: str) -> str:
    return " ".join(text.split())
