"""The command `ssa`."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import typer

from self_service_agent.kit import logging
from self_service_agent.kit.database import DatabaseSettings, DatabaseUnavailable, running_postgres
from self_service_agent.kit.embedded_postgres import EmbeddedPostgresError
from self_service_agent.kit.settings import SettingsError, read
from self_service_agent.shared_models import migrate as migrations

from . import house
from .server import PortTaken, listen, serve
from .settings import HouseSettings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
database = typer.Typer(no_args_is_help=True, help="The database in use.")
app.add_typer(database, name="db")

_EXPECTED = (SettingsError, PortTaken, DatabaseUnavailable, EmbeddedPostgresError)


@contextmanager
def _explained() -> Iterator[None]:
    """End with a sentence instead of a traceback when the surroundings are at fault."""
    try:
        yield
    except _EXPECTED as error:
        sys.stderr.write(f"ssa: {error}\n")
        raise typer.Exit(1) from None


@app.command()
def up(
    port: Annotated[int, typer.Option(help="The port to answer on; 0 takes a free one.")] = 8080,
    bind: Annotated[str | None, typer.Option(help="The address to answer on (SSA_BIND).")] = None,
) -> None:
    """Run everything in one process."""
    with _explained():
        settings = _settings(bind)
        listening = listen(settings.ssa_bind, port)
        serve(house.everything(settings, port=listening.getsockname()[1]), listening)


@app.command()
def migrate(
    down: Annotated[str | None, typer.Option(help="Go back to this revision; `base` removes every table.")] = None,
) -> None:
    """Bring the database's tables up to date."""

    async def run() -> None:
        async with running_postgres(read(DatabaseSettings), read(HouseSettings).ssa_home) as address:
            if down is None:
                await migrations.upgrade(address)
            else:
                await migrations.downgrade(address, revision=down)

    with _explained():
        asyncio.run(run())


@database.command("url")
def database_url() -> None:
    """Print a libpq URL of the database in use."""

    async def run() -> str:
        async with running_postgres(read(DatabaseSettings), read(HouseSettings).ssa_home) as address:
            return address.url()

    with _explained():
        typer.echo(asyncio.run(run()))


def _settings(bind: str | None) -> HouseSettings:
    """Read the settings; on loopback, and unless somebody decided otherwise, this is a development installation."""
    settings = read(HouseSettings)
    if bind is not None:
        settings = settings.model_copy(update={"ssa_bind": bind})
    if "ssa_env" not in settings.model_fields_set and settings.ssa_bind in {"127.0.0.1", "::1", "localhost"}:
        settings = settings.model_copy(update={"ssa_env": "development"})
    logging.configure(level=settings.log_level, format=_format(settings))
    return settings


def _format(settings: HouseSettings) -> Literal["json", "console"]:
    if "log_format" in settings.model_fields_set or not sys.stderr.isatty():
        return settings.log_format
    return "console"
