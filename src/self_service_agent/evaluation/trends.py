"""What it took: turns, repeated questions, milliseconds and tokens. These are watched, not gated."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .records import Record


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Of all scenarios together; times are those of a turn as its caller waited for it."""

    scenarios: int
    turns: int
    turns_per_scenario: float
    asked_again: int
    p50_ms: float
    p95_ms: float
    tokens: int
    handed_over: int


def effort_of(records: Sequence[Record]) -> Effort:
    """Return what the conversations took."""
    waits = sorted(each.milliseconds for record in records for each in record.answered)
    turns = sum(len(record.exchanges) for record in records)
    return Effort(
        scenarios=len(records),
        turns=turns,
        turns_per_scenario=round(turns / max(len(records), 1), 2),
        asked_again=sum(_asked_again(record) for record in records),
        p50_ms=round(statistics.median(waits), 1) if waits else 0.0,
        p95_ms=round(waits[int(len(waits) * 0.95)], 1) if waits else 0.0,
        tokens=sum(_tokens(record) for record in records),
        handed_over=sum(record.last_metadata.get("mode") == "human" for record in records),
    )


def _asked_again(record: Record) -> int:
    """Count the answers that leave the person at the question they were at before."""
    steps = [(each.metadata.get("flow"), each.metadata.get("step")) for each in record.answered]
    return sum(now == before and now[1] is not None for before, now in pairwise(steps))


def _tokens(record: Record) -> int:
    def counted(usage: Iterable[object]) -> int:
        return sum(count for count in usage if isinstance(count, int) and not isinstance(count, bool))

    return sum(counted(each.metadata.get("usage", {}).values()) for each in record.answered)
