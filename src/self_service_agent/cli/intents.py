"""`ssa intents`: how well messages are understood, by their words alone and by their meaning as well."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from .starting import explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from self_service_agent.evaluation.intents import Reading

app = typer.Typer()


@app.command()
def intents(
    *,
    folder: Annotated[Path | None, typer.Option(help="Utterances instead of the shipped ones.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Show what was not understood.")] = False,
) -> None:
    """Count what is right, asked again, wrong and refused of what people might write; exit 0 if it is good enough."""
    # The services bring a second of imports along.
    from self_service_agent.agent_service.app import shipped_agents  # noqa: PLC0415
    from self_service_agent.agent_service.definitions.loader import load_definitions  # noqa: PLC0415
    from self_service_agent.agent_service.embedding.opening import open_embedder  # noqa: PLC0415
    from self_service_agent.agent_service.embedding.settings import EmbeddingSettings  # noqa: PLC0415
    from self_service_agent.evaluation.files import evaluations_folder  # noqa: PLC0415
    from self_service_agent.evaluation.intents import load_utterances, reaches_goals, read_all  # noqa: PLC0415
    from self_service_agent.kit.settings import read  # noqa: PLC0415

    with explained():
        embedder = open_embedder(read(EmbeddingSettings))
        definitions = load_definitions(shipped_agents())
    utterances = load_utterances(folder or evaluations_folder() / "intents")
    readings = {"words": asyncio.run(read_all(utterances, definitions, None))}
    if embedder is not None:
        readings["meaning"] = asyncio.run(read_all(utterances, definitions, embedder))
    _tell(readings)
    judged = list(readings.values())[-1]
    if show:
        _show(judged)
    if not reaches_goals(judged):
        raise typer.Exit(1)


def _tell(readings: "dict[str, list[Reading]]") -> None:
    from self_service_agent.evaluation.intents import OUTCOMES, counted  # noqa: PLC0415

    table = Table("said about", "number", "by", *OUTCOMES)
    for name, is_out in (("our work", False), ("other things", True)):
        for by, found in readings.items():
            shares = counted(found, out_of_scope=is_out)
            number = sum((each.utterance.wanted == "none") is is_out for each in found)
            table.add_row(name, str(number), by, *(f"{share:.1%}" for share in shares.values()))
    Console().print(table)


def _show(readings: "Sequence[Reading]") -> None:
    for each in readings:
        if each.outcome in {"wrong flow", "wrong agent"} or (each.outcome == "refused") != (
            each.utterance.wanted == "none"
        ):
            typer.echo(f"{each.outcome:12} {each.utterance.wanted:40} {each.utterance.text!r}: {each.got}")
