"""`ssa evaluate`: plays every scenario against the real system in a house of its own, and judges what came of it."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from self_service_agent.kit import logging

from .starting import explained, fail

Scenarios = Annotated[str, typer.Option(help="Which: patterns of scenario ids, joined by commas.")]
Engine = Annotated[Literal["rules", "llm"], typer.Option(help="Who understands what people write.")]
Folder = Annotated[Path | None, typer.Option(help="A folder of scenarios instead of the shipped ones.")]


def evaluate(
    *,
    scenarios: Scenarios = "*",
    understander: Engine = "rules",
    report: Annotated[Path | None, typer.Option(help="Write report.json and report.html into this folder.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit XML file.")] = None,
    folder: Folder = None,
    side_by_side: Annotated[int, typer.Option(help="How many conversations at once.", min=1, max=64)] = 16,
) -> None:
    """Play every scenario against the real system and check the gates; exit 0 only if all hold."""
    # The services bring a second of imports along.
    from self_service_agent.evaluation import files, reports, run, showing  # noqa: PLC0415

    logging.configure(level="debug", format="json")
    with explained():
        try:
            chosen = files.load_scenarios(folder or files.evaluations_folder(), scenarios)
            phrases = files.load_phrases(folder or files.evaluations_folder())
        except files.ScenarioError as error:
            fail(str(error))
        if not chosen:
            fail(f"no scenario is called {scenarios}")
        wishes = run.Wishes(agent_service=run.understanding_by(understander), side_by_side=side_by_side)
        with showing.progress(len(chosen)) as heard:
            done = asyncio.run(run.evaluate(chosen, phrases, wishes=wishes, heard=heard))
    showing.show(done)
    if report is not None:
        reports.write(done, report)
    if junit is not None:
        reports.write_junit(done, junit)
    if not done.holds:
        raise typer.Exit(1)
