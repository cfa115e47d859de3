"""`ssa agents`: what an author of definitions does with them, without a running installation."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from self_service_agent.kit.settings import read

from .starting import explained, fail

if TYPE_CHECKING:
    from self_service_agent.agent_service.definitions.loader import Definitions
    from self_service_agent.agent_service.definitions.models import AgentDefinition

# The agent service brings a second of imports along: each command imports what it needs.

app = typer.Typer(no_args_is_help=True, help="Agent definitions: checking, showing and drawing them.")

Folder = Annotated[Path | None, typer.Option(help="The folder of definitions (AGENTS_FOLDER).")]
AgentId = Annotated[str, typer.Argument(help="The agent's id.")]


@app.command()
def schema() -> None:
    """Print the JSON Schema of definitions."""
    from self_service_agent.agent_service.definitions.schema import author_schema  # noqa: PLC0415

    typer.echo(json.dumps(author_schema(), indent=2))


@app.command()
def lint(
    folder: Annotated[Path | None, typer.Argument(help="The folder; not given: AGENTS_FOLDER.")] = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
) -> None:
    """Check definitions and print everything that is wrong with them, with file, place and reason."""
    from self_service_agent.agent_service.agents.lint import lint as examine  # noqa: PLC0415

    with explained():
        findings = examine(_folder(folder))
    for finding in findings:
        typer.echo(f"{finding.level}: {finding.text}")
    errors = sum(finding.level == "error" for finding in findings)
    typer.echo(f"{errors} errors, {len(findings) - errors} warnings")
    if errors or (strict and findings):
        raise typer.Exit(1)


@app.command("list")
def list_agents(
    folder: Folder = None, *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the agents with their versions, digests and flows."""
    from self_service_agent.agent_service.agents.schemas import agent_summary  # noqa: PLC0415

    definitions = _definitions(folder)
    brief = [agent_summary(agent, is_default=agent is definitions.default) for agent in definitions]
    if as_json:
        typer.echo(json.dumps([each.model_dump() for each in brief], indent=2))
        return
    for each in brief:
        typer.echo(f"{each.id} {each.version} {each.digest[:12]}{' (default)' if each.is_default else ''}")
        for flow in each.flows:
            typer.echo(f"  {flow.name}: {flow.title}")


@app.command()
def show(agent_id: AgentId, folder: Folder = None) -> None:
    """Print one agent as JSON: its flows with their steps, its tools and documents."""
    from self_service_agent.agent_service.agents.schemas import agent_read  # noqa: PLC0415

    definitions = _definitions(folder)
    agent = _agent(agent_id, definitions)
    typer.echo(agent_read(agent, is_default=agent is definitions.default).model_dump_json(indent=2))


@app.command()
def graph(
    agent_id: AgentId,
    flow: Annotated[str | None, typer.Option(help="The flow; not given: the first.")] = None,
    *,
    form: Annotated[Literal["svg", "mermaid"], typer.Option("--format", help="What to draw.")] = "mermaid",
    folder: Folder = None,
) -> None:
    """Draw a flow."""
    from self_service_agent.agent_service.agents import drawing  # noqa: PLC0415

    flows = _agent(agent_id, _definitions(folder)).flows
    if not flows:
        fail(f"{agent_id} has no flows")
    name = flow or next(iter(flows))
    if name not in flows:
        fail(f"{agent_id} has no flow {name}; it has {', '.join(flows)}")
    draw = drawing.svg if form == "svg" else drawing.mermaid
    typer.echo(draw(flows[name]), nl=False)


def _definitions(folder: Path | None) -> "Definitions":
    from self_service_agent.agent_service.definitions.loader import load_definitions  # noqa: PLC0415
    from self_service_agent.agent_service.settings import AgentServiceSettings  # noqa: PLC0415

    with explained():
        default = read(AgentServiceSettings).default_agent_id
        return load_definitions(_folder(folder), default_agent_id=default)


def _agent(agent_id: str, definitions: "Definitions") -> "AgentDefinition":
    agent = definitions.current(agent_id)
    if agent is None:
        fail(f"there is no agent {agent_id}; there are {', '.join(each.id for each in definitions)}")
    return agent


def _folder(given: Path | None) -> Path:
    from self_service_agent.agent_service.app import shipped_agents  # noqa: PLC0415
    from self_service_agent.agent_service.settings import AgentServiceSettings  # noqa: PLC0415

    folder = given or read(AgentServiceSettings).agents_folder or shipped_agents()
    if not folder.is_dir():
        fail(f"{folder} is not a folder")
    return folder
