"""The command `ssa`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from self_service_agent.kit.database import DatabaseSettings, running_postgres
from self_service_agent.kit.settings import read
from self_service_agent.shared_models import migrate as migrations

from . import agents, approvals, evaluate, handoffs, intents, keys, knowledge, sessions, talk, tools
from .addresses import address_of
from .ports import PORTS, Name
from .settings import HouseSettings
from .starting import explained, fail, refuse_stand_ins, say, settled

if TYPE_CHECKING:
    from types import ModuleType

    from starlette.applications import Starlette

# The services bring a second of imports along, which a question in a terminal should not wait for: each command
# imports what it needs.

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
database = typer.Typer(no_args_is_help=True, help="The database in use.")
app.add_typer(database, name="db")
app.add_typer(agents.app, name="agents")
app.add_typer(approvals.app, name="approvals")
app.add_typer(handoffs.app, name="handoffs")
app.add_typer(keys.app, name="keys")
app.add_typer(sessions.app, name="sessions")
app.add_typer(evaluate.app)
app.add_typer(intents.app)
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(tools.app, name="tools")

Bind = Annotated[str | None, typer.Option(help="The address to answer on (SSA_BIND).")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="How many processes share the port.")]
Url = Annotated[str, typer.Option(help="Where the request manager answers.")]
User = Annotated[str, typer.Option(help="Who you are: a login or an e-mail address.")]
Key = Annotated[str | None, typer.Option(envvar="SSA_API_KEY", help="Your API key; in development the login.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LOCAL = "http://127.0.0.1:8080"


@app.command()
def up(
    port: Annotated[int, typer.Option(help="The port to answer on; 0 takes a free one.")] = 8080,
    bind: Bind = None,
    workers: Workers = 1,
) -> None:
    """Run everything in one process, or in several that are all alike."""
    with explained():
        settings = settled(bind)
        if workers > 1:
            refuse_stand_ins(settings)
        _answer(
            lambda house, port: house.everything(settings, port=port, say=say),
            settings,
            port=port,
            workers=workers,
            command=("up",),
        )


@app.command()
def serve(  # noqa: PLR0917  # typer reads them by name
    name: Annotated[str, typer.Argument(help="The service.")],
    port: Annotated[int | None, typer.Option(help="The port to answer on, instead of its usual one.")] = None,
    bind: Bind = None,
    workers: Workers = 1,
) -> None:
    """Run one service in a process of its own, or in several that are all alike."""
    if name not in set(Name):
        fail(f"there is no service {name}; choose one of {', '.join(Name)}")
    service = Name(name)
    with explained():
        settings = settled(bind)
        if workers > 1 and service is Name.MOCK_SERVICENOW:
            fail("the mock ServiceNow keeps its tables in memory: it cannot have more than one worker")
        _answer(
            lambda house, _port: house.alone(service, settings, say=say),
            settings,
            port=PORTS[service] if port is None else port,
            workers=workers,
            command=("serve", name),
        )


def _answer(
    build: "Callable[[ModuleType, int], Starlette]",
    settings: HouseSettings,
    *,
    port: int,
    workers: int,
    command: Sequence[str],
) -> None:
    """Answer on the port, in this process or in workers, until a signal says stop."""
    from . import server  # noqa: PLC0415  # see above
    from .workers import WorkerSettings, inherited, supervise  # noqa: PLC0415  # see above

    shared = inherited(read(WorkerSettings))
    listening = shared or server.listen(settings.ssa_bind, port)
    port = listening.getsockname()[1]
    if workers > 1 and shared is None:
        arguments = (*command, "--bind", settings.ssa_bind, "--port", str(port))
        raise typer.Exit(supervise(arguments, listening, count=workers))
    from . import house  # noqa: PLC0415  # see above

    server.serve(build(house, port), listening, is_production=not settings.is_development, is_worker=shared is not None)


@app.command()
def migrate(
    down: Annotated[str | None, typer.Option(help="Go back to this revision; `base` removes every table.")] = None,
) -> None:
    """Bring the database's tables up to date."""

    async def run() -> None:
        async with running_postgres(read(DatabaseSettings), read(HouseSettings).ssa_home) as address:
            await (await address.connect()).close()  # the helpful error comes from here
            if down is None:
                await migrations.upgrade(address)
            else:
                await migrations.downgrade(address, revision=down)

    with explained():
        asyncio.run(run())


@database.command("url")
def database_url() -> None:
    """Print a libpq URL of the database in use, whether it is running or not."""
    with explained():
        typer.echo(address_of(read(DatabaseSettings), read(HouseSettings).ssa_home).url())


@app.command()
def chat(user: User = "alice.johnson", url: Url = LOCAL, key: Key = None) -> None:
    """Talk with the agent; `quit`, `exit` or `q` ends."""
    talk.chat(talk.Caller(url=url, user=user, key=key or user))


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="What you want.")],
    *,
    user: User = "alice.johnson",
    url: Url = LOCAL,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Ask once and print the answer."""
    talk.ask(talk.Caller(url=url, user=user, key=key or user), text, show=talk.as_json if as_json else talk.as_text)


@app.command()
def demo() -> None:
    """Show the whole thing working, from a question to the ticket, the e-mail and the webhook."""
    from .demo import demonstration  # noqa: PLC0415  # see above

    if not demonstration.run():
        raise typer.Exit(1)


@app.command()
def doctor(
    port: Annotated[int, typer.Option(help="The port that `ssa up` is to answer on.")] = 8080, *, as_json: Json = False
) -> None:
    """Check what the product needs, and say what to do about what is missing."""
    from .doctor import examination, report  # noqa: PLC0415  # see above

    findings = examination.run(port=port)
    typer.echo(report.as_json(findings) if as_json else report.as_text(findings))
    if report.has_broken(findings):
        raise typer.Exit(1)
