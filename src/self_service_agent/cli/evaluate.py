"""`ssa evaluate` and its sisters: conversations with the real system in a house of its own, and what came of them."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import httpx2
import orjson
import typer

from self_service_agent.kit import logging

from .starting import explained, fail

app = typer.Typer()

Scenarios = Annotated[str, typer.Option(help="Which: patterns of scenario ids, joined by commas.")]
Engine = Annotated[Literal["rules", "llm", "scripted"], typer.Option(help="Who understands what people write.")]
Folder = Annotated[Path | None, typer.Option(help="A folder of scenarios instead of the shipped ones.")]


@app.command()
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
        wishes = replace(run.understanding_by(understander), side_by_side=side_by_side)
        with showing.progress(len(chosen)) as heard:
            done = asyncio.run(run.evaluate(chosen, phrases, wishes=wishes, heard=heard))
    showing.show(done)
    if report is not None:
        reports.write(done, report)
    if junit is not None:
        reports.write_junit(done, junit)
    if not done.holds:
        raise typer.Exit(1)


@app.command()
def mutate(
    names: Annotated[list[str] | None, typer.Argument(help="Which mutants; all without a name.")] = None,
) -> None:
    """Break the system on purpose, one way after the other, and see that the metrics notice; exit 0 only if all do."""
    from self_service_agent.evaluation import files, mutants, mutation, showing  # noqa: PLC0415

    chosen = names or list(mutants.MUTANTS)
    if unknown := [name for name in chosen if name not in mutants.MUTANTS]:
        fail(f"there is no mutant {', '.join(unknown)}; choose among {', '.join(mutants.MUTANTS)}")
    logging.configure(level="debug", format="json")
    folder = files.evaluations_folder()

    def tell(trial: mutation.Trial) -> None:
        state = "caught" if trial.is_caught else "ESCAPED"
        typer.echo(f"{trial.name} ({trial.about}): {state}, {trial.seconds} s", err=True)

    with explained():
        trials = asyncio.run(
            mutation.try_mutants(
                [mutants.MUTANTS[name] for name in chosen],
                files.load_scenarios(folder),
                files.load_phrases(folder),
                tried=tell,
            )
        )
    showing.show_trials(trials)
    if not all(trial.is_caught for trial in trials):
        raise typer.Exit(1)


@app.command()
def parity(
    *,
    scenarios: Scenarios = "*",
    against: Annotated[Literal["scripted", "llm"], typer.Option(help="The model beside the rules.")] = "scripted",
) -> None:
    """Play every scenario by the rules and by a model; exit 1 if the world is another one in the end."""
    from self_service_agent.evaluation import files, run, showing  # noqa: PLC0415
    from self_service_agent.evaluation.parity import differences  # noqa: PLC0415

    logging.configure(level="debug", format="json")
    with explained():
        folder = files.evaluations_folder()
        chosen, phrases = files.load_scenarios(folder, scenarios), files.load_phrases(folder)
        if not chosen:
            fail(f"no scenario is called {scenarios}")
        runs = []
        for engine in ("rules", against):
            with showing.progress(len(chosen)) as heard:
                runs.append(
                    asyncio.run(run.evaluate(chosen, phrases, wishes=run.understanding_by(engine), heard=heard))
                )
    found = differences(runs[0].records, runs[1].records)
    showing.show_parity(runs[0], runs[1], found)
    if any(each.is_mistake for each in found):
        raise typer.Exit(1)


@app.command()
def replay(
    source: Annotated[str, typer.Argument(help="A file (an exported session or a report.json), or a session's id.")],
    *,
    scenario: Annotated[str | None, typer.Option(help="Which scenario of a report.")] = None,
    agents: Annotated[Path | None, typer.Option(help="The folder of agents to replay with.")] = None,
    url: Annotated[str, typer.Option(help="Where the session of this id is.")] = "http://127.0.0.1:8080",
    key: Annotated[str | None, typer.Option(envvar="SSA_API_KEY", help="The key that may export the session.")] = None,
) -> None:
    """Play a recorded conversation with today's definitions; exit 1 if it ends otherwise."""
    from self_service_agent.evaluation import recordings, replay, run, showing  # noqa: PLC0415

    logging.configure(level="debug", format="json")
    with explained():
        try:
            document = _document(source, url=url, key=key)
            before = (
                recordings.from_export(document) if scenario is None else recordings.from_report(document, scenario)
            )
        except recordings.NotARecording as error:
            fail(f"{source}: {error}")
        now = asyncio.run(replay.replayed(before, wishes=run.Wishes(agents_folder=agents)))
    found = replay.compared(before, now)
    showing.show_replay(before, found)
    if any(each.is_end for each in found):
        raise typer.Exit(1)


def _document(source: str, *, url: str, key: str | None) -> dict[str, Any]:
    path = Path(source)
    if path.is_file():
        content = path.read_bytes()
    else:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            answer = httpx2.get(f"{url}/api/v1/sessions/{quote(source, safe='')}/export", headers=headers, timeout=30)
            answer.raise_for_status()
        except httpx2.HTTPError as error:
            fail(f"there is no file {source}, and no such session at {url}: {error}")
        content = answer.content
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        fail(f"{source} is not JSON")
    return document if isinstance(document, dict) else {}
