"""`ssa keys`: API keys, straight in the database, so that an operator can make the first one."""

import asyncio
import getpass
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Annotated, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from self_service_agent.kit import clock
from self_service_agent.kit.database import DatabaseSettings, open_pool, running_postgres
from self_service_agent.kit.notifications import Notifier
from self_service_agent.kit.settings import read
from self_service_agent.request_manager.keys.desk import KeyDesk, KeyWish, NewKey, Place
from self_service_agent.request_manager.keys.environment import environment_keys
from self_service_agent.request_manager.keys.errors import KeyTrouble
from self_service_agent.request_manager.keys.rules import ApiKey, KeyCaller, Scope
from self_service_agent.request_manager.keys.schemas import shown, shown_once
from self_service_agent.request_manager.keys.service import ApiKeys
from self_service_agent.request_manager.settings import RequestManagerSettings
from self_service_agent.shared_models.audit.entries import ActorKind
from self_service_agent.shared_models.audit.log import AuditLog
from self_service_agent.shared_models.users import Role

from .settings import HouseSettings
from .starting import explained, fail

app = typer.Typer(no_args_is_help=True, help="API keys, in the database of this environment.")

ResultT = TypeVar("ResultT")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KeyId = Annotated[str, typer.Argument(help="The id of the key, as `ssa keys list` shows it.")]
_PAGE = 200
_WIDTH = 200  # of a table that no terminal limits


@app.command()
def create(  # noqa: PLR0913  # one parameter for each option
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    *,
    user: Annotated[str | None, typer.Option(help="Whose key: a login, an e-mail address or a user id.")] = None,
    tool: Annotated[str | None, typer.Option(help="Or the tool whose key it is.")] = None,
    role: Annotated[list[Role] | None, typer.Option(help="What the person may be: `user` if nothing is said.")] = None,
    scope: Annotated[list[Scope] | None, typer.Option(help="Limit the key to this; repeat for several.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="For how many days it works.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it, this once."""
    if (user is None) == (tool is None):
        fail("name the --user or the --tool that the key is for")
    wish = KeyWish(
        name=name,
        user=user,
        tool_id=tool,
        roles=frozenset(role) if role else None,
        scopes=frozenset(scope or ()),
        expires_at=None if days is None else clock.now() + timedelta(days=days),
    )
    _print_new(_at_desk(lambda desk: desk.create(wish, _operator())), as_json=as_json)


@app.command("list")
def list_keys(*, as_json: Json = False) -> None:
    """Show all keys, by their first characters."""
    _print_all(_at_desk(_all), as_json=as_json)


@app.command()
def rotate(
    key_id: KeyId,
    *,
    overlap: Annotated[int, typer.Option(min=0, help="For how many seconds the old key goes on working.")] = 86_400,
    as_json: Json = False,
) -> None:
    """Make a key that takes another one's place, and print it, this once."""
    made = _at_desk(lambda desk: desk.rotate(key_id, timedelta(seconds=overlap), _operator()))
    _print_new(made, as_json=as_json)


@app.command()
def revoke(key_id: KeyId, *, as_json: Json = False) -> None:
    """Make a key useless at once and for ever."""
    key = _at_desk(lambda desk: desk.revoke(key_id, _operator()))
    if as_json:
        _print_line(shown(key, clock.now()).model_dump_json(indent=2))
    else:
        _print_line(f"{key.hint}… ({key.name}) is revoked")


def _at_desk(act: Callable[[KeyDesk], Awaitable[ResultT]]) -> ResultT:
    """Do something at the desk of the database in use; end with one line if it cannot be done."""

    async def run() -> ResultT:
        # An error that crossed the tasks of the desk would arrive wrapped in a group.
        async with _open_desk() as desk:
            (outcome,) = await asyncio.gather(act(desk), return_exceptions=True)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    with explained():
        try:
            return asyncio.run(run())
        except (KeyTrouble, asyncpg.DataError) as error:  # the second is what a text does that is too long
            fail(str(error))
        except asyncpg.UndefinedTableError:
            fail("the database has no tables for keys yet; run `ssa migrate`")


@asynccontextmanager
async def _open_desk() -> AsyncIterator[KeyDesk]:
    settings = read(RequestManagerSettings)
    configured = environment_keys(web_api_keys=settings.web_api_keys, tool_keys=settings.tool_keys)
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(
            running_postgres(read(DatabaseSettings), read(HouseSettings).ssa_home)
        )
        pool = await stack.enter_async_context(open_pool(address, size=2))
        notifier = Notifier()
        audit = AuditLog(pool)
        await stack.enter_async_context(audit.running())
        yield KeyDesk(pool, ApiKeys(pool, notifier, configured), audit)
        # Saying hello makes every process look again at everything it remembers, and it has said so when this opens.
        async with notifier.running(address):
            await asyncio.sleep(0)  # its task closes the connection, and only once it has begun


async def _all(desk: KeyDesk) -> list[ApiKey]:
    keys: list[ApiKey] = []
    place: Place | None = Place()
    while place is not None:
        listing = await desk.listing(place, _operator(), limit=_PAGE)
        keys += listing.keys
        place = listing.next
    return keys


def _operator() -> KeyCaller:
    name = getpass.getuser()
    return KeyCaller(user_id=name, login=name, roles=frozenset({Role.ADMIN}), kind=ActorKind.OPERATOR)


def _print_new(made: NewKey, *, as_json: bool) -> None:
    if as_json:
        _print_line(shown_once(made.key, made.text, clock.now()).model_dump_json(indent=2))
        return
    owner = made.key.owner
    until = "until it is revoked" if made.key.expires_at is None else f"until {made.key.expires_at:%Y-%m-%d %H:%M} UTC"
    console = Console(highlight=False)
    console.print(f"Key [bold]{made.key.key_id}[/] for {_name_of(made.key)}, {until}.", soft_wrap=True)
    console.print(f"Roles: {', '.join(sorted(owner.roles))}. Reaches: {_scopes_of(made.key)}.", soft_wrap=True)
    console.print("Keep it now; it is not shown again:\n", style="dim")
    _print_line(made.text)


def _print_all(keys: list[ApiKey], *, as_json: bool) -> None:
    now = clock.now()
    if as_json:
        _print_line(json.dumps([shown(key, now).model_dump(mode="json") for key in keys], indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("id", "key", "name", "for", "roles", "reaches", "expires", "last used", "state"):
        table.add_column(title, no_wrap=title in {"id", "key"})
    for key in keys:
        table.add_row(
            key.key_id, f"{key.hint}…", key.name, _name_of(key), ", ".join(sorted(key.owner.roles)), _scopes_of(key),
            f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "never",
            f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "",
            key.state(now),
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, markup=False).print(table)


def _print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _name_of(key: ApiKey) -> str:
    owner = key.owner
    return owner.login or owner.email or owner.tool_id or str(owner.user_id)


def _scopes_of(key: ApiKey) -> str:
    return ", ".join(sorted(key.owner.scopes)) or "everything"
