"""Encoded queries: the part of ServiceNow's filter language that the mock understands."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]
Conditions = tuple[tuple[str, str], ...]

_CONDITION = re.compile(r"([a-z0-9_.]+)=(.*)")


class UnsupportedQuery(Exception):
    """The query uses an operator that the mock does not know."""


def read_query(text: str) -> Conditions:
    """Read `field=value^field2=value2`; all conditions must hold."""
    return tuple(_condition(part) for part in text.split("^") if part)


def matching(rows: Iterable[Row], conditions: Conditions) -> list[Row]:
    """Return the rows that meet all conditions.

    A condition on a field that a row does not have is dropped, as the real server does by default
    (`glide.invalid_query.returns_no_rows` is false): a client must check what it gets.
    """
    return [row for row in rows if all(_meets(row, field, value) for field, value in conditions)]


def _condition(part: str) -> tuple[str, str]:
    found = _CONDITION.fullmatch(part)
    if found is None:
        raise UnsupportedQuery(part)
    return found[1], found[2]


def _meets(row: Row, field: str, value: str) -> bool:
    if field not in row:
        return True
    stored = row[field]
    compared: object = stored["value"] if isinstance(stored, Mapping) else stored
    return value == compared
