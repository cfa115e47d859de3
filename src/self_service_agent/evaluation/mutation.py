"""Tries every mutant: the scenarios that must suffer from it, once with the system whole and once with it broken."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatch

from .judges import Metric
from .mutants import Mutant
from .phrases import PhraseBank
from .run import Run, Wishes, evaluate
from .scenarios import Scenario

WHOLE = "none"
_PATIENCE = timedelta(seconds=5)
"""How long a person waits while answers are being lost on purpose."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How many findings each metric had while a mutant was at work, and which metrics had to notice it."""

    name: str
    about: str
    counts: Mapping[Metric, int]
    expected: frozenset[Metric]
    seconds: float

    @property
    def is_caught(self) -> bool:
        """Whether every metric that had to notice did; the system as it is must give nobody anything to notice."""
        if not self.expected:
            return not any(self.counts.values())
        return all(self.counts.get(metric) for metric in self.expected)


Tried = Callable[[Trial], None]


async def try_mutants(
    mutants: Sequence[Mutant], scenarios: Sequence[Scenario], phrases: PhraseBank, *, tried: Tried = lambda _trial: None
) -> tuple[Trial, ...]:
    """Return the trial of the whole system, then one for each mutant."""
    suffering = [scenario for scenario in scenarios if any(_suffers(scenario, mutant) for mutant in mutants)]
    trials = [_trial(WHOLE, "the system as it is", await evaluate(suffering, phrases, wishes=Wishes(embeds=False)))]
    tried(trials[0])
    for mutant in mutants:
        chosen = [scenario for scenario in scenarios if _suffers(scenario, mutant)]
        patience = _PATIENCE if Metric.LOST_TURNS in mutant.caught_by else Wishes().patience
        with mutant.broken():
            run = await evaluate(chosen, phrases, wishes=Wishes(patience=patience, embeds=False))
        trials.append(replace(_trial(mutant.name, mutant.about, run), expected=mutant.caught_by))
        tried(trials[-1])
    return tuple(trials)


def _suffers(scenario: Scenario, mutant: Mutant) -> bool:
    return any(fnmatch(scenario.id, pattern) for pattern in mutant.scenarios.split(","))


def _trial(name: str, about: str, run: Run) -> Trial:
    counts = Counter(finding.metric for finding in run.findings)
    return Trial(name=name, about=about, counts=counts, expected=frozenset(), seconds=run.seconds)
