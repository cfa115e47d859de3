"""The report's plots as numbers: where each bar lies and how long it is."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .judges import Finding
from .records import Exchange, Record

_GUTTER, _LENGTH, _ROW = 190, 320, 22
_STEPS_MS = (25, 50, 100, 200, 400, 800, 1600, 3200)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar; `wrong` is how much of it is red. Lengths are pixels."""

    label: str
    y: int
    length: float
    wrong: float
    says: str


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Bars below each other; labels stand in the gutter to their left."""

    title: str
    bars: tuple[Bar, ...]
    gutter: int = _GUTTER

    @property
    def width(self) -> int:
        return _GUTTER + _LENGTH + 80

    @property
    def height(self) -> int:
        return _ROW * len(self.bars) + 4


def plots_of(records: Sequence[Record], findings: Sequence[Finding]) -> tuple[Plot, ...]:
    """Return the plots of a run: scenarios by area and by perturbation, waits, and turns."""
    failed = {finding.scenario_id for finding in findings}
    return (
        _shares("Scenarios by area, those with findings red", records, failed, of="area"),
        _counts("Turns by how long the caller waited", [_wait(each.milliseconds) for each in _answered(records)]),
        _counts("Scenarios by their number of turns", [f"{len(record.exchanges):2d} turns" for record in records]),
        _shares("Scenarios by departure, those with findings red", records, failed, of="perturbation"),
    )


def _shares(title: str, records: Sequence[Record], failed: set[str], *, of: str) -> Plot:
    total = Counter(getattr(record.scenario, of) for record in records)
    wrong = Counter(getattr(record.scenario, of) for record in records if record.scenario.id in failed)
    most = max(total.values(), default=1)
    bars = (
        Bar(
            label=name,
            y=place * _ROW,
            length=round(count / most * _LENGTH, 1),
            wrong=round(wrong[name] / most * _LENGTH, 1),
            says=f"{count - wrong[name]} of {count}",
        )
        for place, (name, count) in enumerate(sorted(total.items()))
    )
    return Plot(title=title, bars=tuple(bars))


def _counts(title: str, names: Iterable[str]) -> Plot:
    counted = sorted(Counter(names).items())
    most = max((count for _, count in counted), default=1)
    bars = (
        Bar(label=name, y=place * _ROW, length=round(count / most * _LENGTH, 1), wrong=0, says=str(count))
        for place, (name, count) in enumerate(counted)
    )
    return Plot(title=title, bars=tuple(bars))


def _wait(milliseconds: float) -> str:
    step = next((step for step in _STEPS_MS if milliseconds <= step), None)
    return f"up to {step:4d} ms" if step else f"over {_STEPS_MS[-1]} ms"


def _answered(records: Sequence[Record]) -> Iterable[Exchange]:
    return (exchange for record in records for exchange in record.answered)
