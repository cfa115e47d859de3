"""Picks the rows of a table that a question is about: all of them, or all with the values that it names."""

import re
from collections.abc import Mapping, Sequence

from self_service_agent.agent_service.knowledge.reading.outcome import Row

_DISTINCT = 12  # a column with more values than that says something of its own in each row, and sorts nothing
_WORD = re.compile(r"[^\W_]+")


def filters_in(question: str, rows: Sequence[Row]) -> dict[str, frozenset[str]]:
    """Return for each column that sorts the rows the values of it that `question` names, if it names any."""
    said = f" {_plain(question)} "
    found: dict[str, frozenset[str]] = {}
    for column in rows[0].cells if rows else ():
        values = {row.cells.get(column, "") for row in rows} - {""}
        named = frozenset(value for value in values if _plain(value) and f" {_plain(value)} " in said)
        if named and len(values) <= _DISTINCT:
            found[column] = named
    return found


def selected(rows: Sequence[Row], filters: Mapping[str, frozenset[str]]) -> list[Row]:
    """Return every row that has one of the values of each column that is filtered by."""
    return [row for row in rows if all(row.cells.get(column) in values for column, values in filters.items())]


def hints_of(rows: Sequence[Row]) -> str:
    """Return what leads to a table besides its title: the names of its columns, and the values that sort its rows."""
    lines = []
    for column in rows[0].cells if rows else ():
        values = sorted({row.cells.get(column, "") for row in rows} - {""})
        lines.append(f"{column}: {', '.join(values)}" if len(values) <= _DISTINCT else column)
    return "; ".join(lines)


def _plain(text: str) -> str:
    return " ".join(word.lower() for word in _WORD.findall(text))
