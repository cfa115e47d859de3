"""The gates: how much of each metric may go wrong in a whole run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .judges import Finding, Metric
from .records import Record

_SUCCESS = 0.95
_WRONG = 0.05


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A metric over all scenarios: what was measured, what was wanted, and whether that holds."""

    metric: Metric
    measured: str
    wanted: str
    holds: bool
    wrong: int


def gates_of(records: Sequence[Record], findings: Sequence[Finding]) -> tuple[Gate, ...]:
    """Return every gate; `wrong` counts findings, shares are over scenarios."""
    total = max(len(records), 1)
    counts = Counter(finding.metric for finding in findings)
    return tuple(_gate(metric, counts[metric], _failed(findings, metric) / total) for metric in Metric)


def _gate(metric: Metric, count: int, failed: float) -> Gate:
    """Return the gate of a metric with so many findings, in this share of the scenarios."""
    match metric:
        case Metric.TASK_SUCCESS:
            measured, wanted, holds = f"{1 - failed:.1%}", f"≥ {_SUCCESS:.0%}", 1 - failed >= _SUCCESS
        case Metric.ROUTING | Metric.ESCALATION:
            measured, wanted, holds = f"{failed:.1%} wrong", f"≤ {_WRONG:.0%}", failed <= _WRONG
        case _:
            measured, wanted, holds = str(count), "0", count == 0
    return Gate(metric=metric, measured=measured, wanted=wanted, holds=holds, wrong=count)


def _failed(findings: Sequence[Finding], metric: Metric) -> int:
    return len({finding.scenario_id for finding in findings if finding.metric is metric})
