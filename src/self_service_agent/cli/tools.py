"""`ssa tools`: which tools the agents use and where they are, reviewing them, and trying one out in development."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from .starting import explained, fail, house_settings

app = typer.Typer(no_args_is_help=True, help="Tools: which there are, reviewing them, trying one out.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ServiceNow = Annotated[str, typer.Option("--servicenow", help="Where the ServiceNow tool server answers, if not set.")]
_SERVICENOW = "http://127.0.0.1:8080/tools/servicenow/mcp"
_PATIENCE = timedelta(seconds=10)

# The services bring a second of imports along, which `ssa --help` should not wait for.


@app.command("list")
def list_tools(servicenow: ServiceNow = _SERVICENOW, *, as_json: Json = False) -> None:
    """Ask every server, and show each tool that an agent uses: its effect, and whether it is as it was reviewed."""
    from . import toolroom  # noqa: PLC0415  # see above

    with explained():
        rows = asyncio.run(toolroom.listed(house_settings(None), servicenow_url=servicenow, within=_PATIENCE))
    if as_json:
        typer.echo(orjson.dumps([vars(row) for row in rows]).decode())
        return
    for row in rows:
        typer.echo(f"{row.server}.{row.tool}  {row.effect}  {row.review}  used by {', '.join(row.agents)}")


@app.command()
def pin(
    servicenow: ServiceNow = "",
    folder: Annotated[Path | None, typer.Option(help="The agents' folder (AGENTS_FOLDER).")] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if something would change.")] = False,
) -> None:
    """Write down what the servers say about the tools in use, beside the agents: to be reviewed like code."""
    from . import toolroom  # noqa: PLC0415  # see above

    with explained():
        pinned = asyncio.run(
            toolroom.pinned(house_settings(None), servicenow_url=servicenow or None, folder=folder, within=_PATIENCE)
        )
    for line in pinned.differences:
        typer.echo(line)
    if not check:
        pinned.path.write_text(pinned.text, "utf-8")
        typer.echo(f"{pinned.path}: {pinned.count} tools")
    elif pinned.differences:
        raise typer.Exit(1)


@app.command()
def call(
    tool: Annotated[str, typer.Argument(help="The tool, as a definition names it.")],
    arguments: Annotated[str, typer.Argument(help="Its arguments as JSON.")] = "{}",
    *,
    user: Annotated[str, typer.Option(help="The e-mail address of the person to call for.")] = "",
    servicenow: ServiceNow = _SERVICENOW,
) -> None:
    """Call a tool that only reads, in development."""
    from . import toolroom  # noqa: PLC0415  # see above

    with explained():
        settings = house_settings(None)
        if not settings.is_development:
            fail("tools are tried out in development only: SSA_ENV is production")
        answer = asyncio.run(
            toolroom.called(settings, tool, _object(arguments), subject=user, servicenow_url=servicenow)
        )
    typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())


def _object(text: str) -> dict[str, Any]:
    try:
        given = orjson.loads(text)
    except ValueError:
        fail("the arguments are not JSON")
    if not isinstance(given, dict):
        fail("the arguments are not a JSON object")
    return given
