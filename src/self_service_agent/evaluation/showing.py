"""A run on a terminal: progress while it lasts, then the gates, the effort, and what went wrong."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .judges import Metric
from .mutation import Trial
from .parity import Difference
from .recordings import Recording
from .records import Record
from .replay import Otherwise
from .run import Run

_MOST_SHOWN = 40
_WIDE = 200


@contextmanager
def progress(total: int) -> Iterator[Callable[[Record], None]]:
    """Show how far a run is; what is yielded is told of each scenario that is over."""
    console = Console(file=sys.__stderr__)  # the run takes standard error for itself
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        task = shown.add_task("scenarios", total=total)

        def heard(_record: Record) -> None:
            shown.advance(task)

        yield heard


def show(run: Run) -> None:
    """Print what came of a run."""
    console = Console(highlight=False, soft_wrap=True)
    gates = Table("metric", "measured", "wanted", "", box=None, pad_edge=False)
    for gate in run.gates:
        gates.add_row(gate.metric, gate.measured, gate.wanted, "[green]holds[/]" if gate.holds else "[red]BROKEN[/]")
    console.print(gates)
    effort = run.effort
    console.print(
        f"\n{effort.scenarios} scenarios, {effort.turns} turns ({effort.turns_per_scenario} each, "
        f"{effort.asked_again} asked again), p50 {effort.p50_ms} ms, p95 {effort.p95_ms} ms, {effort.tokens} tokens, "
        f"{effort.handed_over} handed over; engine {run.engine}; {run.seconds} s"
    )
    for finding in run.findings[:_MOST_SHOWN]:
        console.print(f"- {finding.scenario_id}: {finding.metric}: {finding.detail}", markup=False)
    if len(run.findings) > _MOST_SHOWN:
        console.print(f"- and {len(run.findings) - _MOST_SHOWN} more; see the report")


def show_trials(trials: Sequence[Trial]) -> None:
    """Print the matrix of mutants and metrics; what had to notice is marked."""
    console = Console(highlight=False, soft_wrap=True, width=_WIDE)
    table = Table("mutant", *(_short(metric) for metric in Metric), "", box=None, pad_edge=False)
    for trial in trials:
        cells = (_cell(trial, metric) for metric in Metric)
        table.add_row(trial.name, *cells, "[green]caught[/]" if trial.is_caught else "[red]ESCAPED[/]")
    console.print(table)
    console.print("[n] had to notice the mutant; the first row is the system as it is, and must be empty", markup=False)


def _cell(trial: Trial, metric: Metric) -> str:
    found = trial.counts.get(metric, 0)
    return f"\\[{found}]" if metric in trial.expected else (str(found) if found else "·")


def _short(metric: Metric) -> str:
    return metric.replace(" ", "\n", 1)


def show_parity(first: Run, second: Run, found: Sequence[Difference]) -> None:
    """Print two runs side by side, then where they differ."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table("", first.engine, second.engine, box=None, pad_edge=False)
    for one, other in zip(first.gates, second.gates, strict=True):
        table.add_row(one.metric, one.measured, other.measured)
    for name in ("turns", "asked_again", "p50_ms", "p95_ms", "tokens", "handed_over"):
        table.add_row(name.replace("_", " "), str(getattr(first.effort, name)), str(getattr(second.effort, name)))
    console.print(table)
    mistakes = [each for each in found if each.is_mistake]
    console.print(f"\n{len(mistakes)} differences in the end state, {len(found) - len(mistakes)} in turns and words")
    for each in found[:_MOST_SHOWN]:
        mark = "END STATE" if each.is_mistake else "words"
        told = f"- {mark} {each.scenario_id}, {each.what}:\n    {each.first[:200]!r}\n    {each.second[:200]!r}"
        console.print(told, markup=False)


def show_replay(before: Recording, found: Sequence[Otherwise]) -> None:
    """Print what came out otherwise than it was recorded."""
    console = Console(highlight=False, soft_wrap=True)
    ends = sum(each.is_end for each in found)
    console.print(
        f"{before.name}: {len(before.said)} turns; {ends} differences in the end state, {len(found) - ends} on the way"
    )
    for each in found:
        mark = "END STATE" if each.is_end else "on the way"
        console.print(f"- {mark}, {each.what}:\n    before {each.before!r}\n    now    {each.now!r}", markup=False)
