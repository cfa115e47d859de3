"""Compares two runs of the same scenarios: what differs in the end is a mistake, what differs in words is listed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .records import Record

_UNLIKE = frozenset({"correlation_id", "business_justification", "justification", "who_is_this_request_for"})


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where two runs of a scenario part; `is_mistake` if the world is another one in the end."""

    scenario_id: str
    what: str
    first: str
    second: str
    is_mistake: bool


def differences(first: Sequence[Record], second: Sequence[Record]) -> tuple[Difference, ...]:
    """Return what differs between runs of the same scenarios in the same order, mistakes first."""
    found = [each for pair in zip(first, second, strict=True) for each in _between(*pair)]
    return tuple(sorted(found, key=lambda each: not each.is_mistake))


def _between(first: Record, second: Record) -> Iterator[Difference]:
    ends = {"orders": _orders, "comments": _comments, "approvals": _approvals, "mode": _mode}
    for what, look in ends.items():
        if look(first) != look(second):
            yield _difference(first, what, str(look(first)), second=str(look(second)), is_mistake=True)
    if len(first.exchanges) != len(second.exchanges):
        yield _difference(first, "turns", str(len(first.exchanges)), second=str(len(second.exchanges)))
        return
    for place, (one, other) in enumerate(zip(first.exchanges, second.exchanges, strict=True), start=1):
        if one.said == other.said and one.answer != other.answer:
            yield _difference(first, f"answer {place}", str(one.answer), second=str(other.answer))


def _difference(record: Record, what: str, first: str, *, second: str, is_mistake: bool = False) -> Difference:
    return Difference(scenario_id=record.scenario.id, what=what, first=first, second=second, is_mistake=is_mistake)


def _orders(record: Record) -> list[dict[str, Any]]:
    told = ({name: value for name, value in order.items() if name not in _UNLIKE} for order in record.ordered)
    return sorted(told, key=str)


def _comments(record: Record) -> list[str]:
    return sorted(record.comments)


def _approvals(record: Record) -> list[str]:
    return list(record.approvals)


def _mode(record: Record) -> str:
    return str(record.last_metadata.get("mode", "agent"))
