"""Opens the tools of all servers, after everything that can be known before has been checked."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from self_service_agent.agent_service.definitions.errors import DefinitionError
from self_service_agent.agent_service.definitions.loader import Definitions, load_definitions
from self_service_agent.connectors.mcp.client import ToolServer
from self_service_agent.connectors.mcp.process import Command
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.kit.settings import SettingsError

from .addresses import problems_with_tools, tools_in
from .configuration import HttpServer, Server
from .guarded import GuardedServer, ServerLimits
from .pins import LOCK_FILE, BrokenLock, Pins, read_pins
from .settings import ToolSettings, values_of
from .toolbox import Toolbox


@dataclass(frozen=True, kw_only=True)
class ToolAccess:
    """Where ServiceNow's server is unless somebody says so, and whether tools that nobody reviewed may be used."""

    servicenow_url: str = "http://127.0.0.1:8001/mcp"
    may_use_unpinned: bool = False


@dataclass(frozen=True, kw_only=True)
class Toolmaking:
    """What a toolbox is made of. Only a development installation may use tools that nobody reviewed."""

    servers: Mapping[str, Server]
    tokens: ServiceTokens
    policy: EgressPolicy
    recheck: timedelta
    may_use_unpinned: bool


def plan_of(settings: ToolSettings, tokens: ServiceTokens, *, policy: EgressPolicy, access: ToolAccess) -> Toolmaking:
    """Return what the settings make of the toolbox, or raise `SettingsError`."""
    return Toolmaking(
        servers=settings.servers(servicenow_url=access.servicenow_url),
        tokens=tokens,
        policy=policy,
        recheck=settings.recheck,
        may_use_unpinned=access.may_use_unpinned,
    )


def pins_in(folder: Path) -> Pins:
    """Return the pins that lie beside the definitions; none if there is no such file."""
    path = folder / LOCK_FILE
    try:
        return read_pins(path.read_text("utf-8"))
    except FileNotFoundError:
        return Pins({})
    except (BrokenLock, OSError, UnicodeDecodeError) as error:
        raise DefinitionError([f"{LOCK_FILE}: {error}"]) from error


def read_agents(folder: Path, making: Toolmaking, *, default_agent_id: str) -> Definitions:
    """Read the definitions in `folder`, or raise `DefinitionError`, also if one names a tool that cannot be called."""
    definitions = load_definitions(folder, default_agent_id=default_agent_id)
    problems = list(
        problems_with_tools(
            definitions, servers=making.servers, pins=pins_in(folder), must_be_pinned=not making.may_use_unpinned
        )
    )
    if problems:
        raise DefinitionError(problems)
    return definitions


async def adopt(toolbox: Toolbox, folder: Path, definitions: Definitions) -> None:
    """Make the toolbox call tools as they are pinned beside these definitions from now on."""
    toolbox.adopt(pins_in(folder), used=tools_in(definitions))


@asynccontextmanager
async def open_toolbox(making: Toolmaking) -> AsyncIterator[Toolbox]:
    """Yield a toolbox without any pins; raises `SettingsError` if a server needs a variable that is not set."""
    async with open_servers(making) as servers:
        yield Toolbox(servers, Pins({}), may_use_unpinned=making.may_use_unpinned)


@asynccontextmanager
async def open_servers(making: Toolmaking) -> AsyncIterator[Mapping[str, GuardedServer]]:
    """Yield the servers by name; those that are commands are started."""
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(_guarded(name, server, making))
            for name, server in making.servers.items()
        }


@asynccontextmanager
async def _guarded(name: str, server: Server, making: Toolmaking) -> AsyncIterator[GuardedServer]:
    limits = ServerLimits(concurrency=server.concurrency, recheck=making.recheck)
    async with _open(name, server, making) as opened:
        yield GuardedServer(name, opened, limits)


def _open(name: str, server: Server, making: Toolmaking) -> AbstractAsyncContextManager[ToolServer]:
    values = values_of(server.variables, server=name)
    if not isinstance(server, HttpServer):
        environment = {variable: value.get_secret_value() for variable, value in values.items()}
        command = Command(
            name=name,
            command=server.command,
            arguments=server.args,
            environment=environment,
            folder=server.folder,
        )
        return ToolServer.run(command)
    if server.audience is not None:
        return ToolServer.open(str(server.url), making.tokens, policy=making.policy, audience=server.audience)
    return ToolServer.open_foreign(str(server.url), headers=_headers(server, values), policy=making.policy)


def _headers(server: HttpServer, values: Mapping[str, SecretStr]) -> dict[str, str]:
    headers = {name: values[variable].get_secret_value() for name, variable in server.headers.items()}
    if server.bearer is not None:
        headers["Authorization"] = f"Bearer {values[server.bearer].get_secret_value()}"
    for variable in server.variables:
        if not values[variable].get_secret_value().isprintable():
            raise SettingsError(f"{variable} holds a line end or another sign that no header can have")
    return headers
