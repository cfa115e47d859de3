"""Encoded queries: the part of ServiceNow's filter language that the mock understands."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Row = Mapping[str, Any]

_CONDITION = re.compile(r"([a-z0-9_.]+)(=|LIKE)(.*)", re.DOTALL)
_NEWEST_FIRST = re.compile(r"ORDERBYDESC([a-z0-9_.]+)")


class UnsupportedQuery(Exception):
    """The query uses an operator that the mock does not know."""


@dataclass(frozen=True)
class Condition:
    """What a field must be, or must contain."""

    field: str
    value: str
    operator: Literal["=", "LIKE"] = "="


@dataclass(frozen=True)
class TableOrder:
    """All conditions must hold; `descending` is the field that rows are sorted by."""

    conditions: tuple[Condition, ...] = ()
    descending: str | None = None


def read_query(text: str) -> TableOrder:
    """Read `field=value^field2LIKEvalue2^ORDERBYDESCfield3`."""
    parts = [part for part in text.split("^") if part]
    sorting = [found[1] for part in parts if (found := _NEWEST_FIRST.fullmatch(part))]
    conditions = tuple(_condition(part) for part in parts if not _NEWEST_FIRST.fullmatch(part))
    return TableOrder(conditions, sorting[-1] if sorting else None)


def matching(rows: Iterable[Row], query: TableOrder) -> list[Row]:
    """Return the rows that meet all conditions, in the order asked for.

    A condition on a field that a row does not have is dropped, as the real server does by default
    (`glide.invalid_query.returns_no_rows` is false): a client must check what it gets.
    """
    found = [row for row in rows if all(_meets(row, condition) for condition in query.conditions)]
    field = query.descending
    if field is None:
        return found
    found.reverse()  # rows stand in the order in which they were made: of equals, too, the newest comes first
    return sorted(found, key=lambda row: _plain(row.get(field)), reverse=True)


def _condition(part: str) -> Condition:
    found = _CONDITION.fullmatch(part)
    if found is None:
        raise UnsupportedQuery(part)
    return Condition(found[1], found[3], "LIKE" if found[2] == "LIKE" else "=")


def _meets(row: Row, condition: Condition) -> bool:
    if condition.field not in row:
        return True
    stored = _plain(row[condition.field])
    return condition.value in stored if condition.operator == "LIKE" else condition.value == stored


def _plain(stored: Any) -> str:
    return str(stored["value"] if isinstance(stored, Mapping) else stored or "")
