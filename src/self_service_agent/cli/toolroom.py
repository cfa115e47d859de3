"""What `ssa tools` does: it opens the same tools as the agent service, from outside."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from mcp import Client
from mcp.server.mcpserver import MCPServer

from self_service_agent.agent_service.app import shipped_agents
from self_service_agent.agent_service.definitions.loader import Definitions, load_definitions
from self_service_agent.agent_service.flows.tools import ToolError
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.agent_service.tools.addresses import tools_in, tools_of
from self_service_agent.agent_service.tools.guarded import GuardedServer
from self_service_agent.agent_service.tools.opening import ToolAccess, Toolmaking, open_servers, pins_in, plan_of
from self_service_agent.agent_service.tools.pins import LOCK_FILE, Pins, differences, select
from self_service_agent.agent_service.tools.settings import SERVICENOW
from self_service_agent.agent_service.tools.toolbox import ServerReport, Toolbox
from self_service_agent.connectors.mcp import protocol
from self_service_agent.connectors.mcp.protocol import ToolDescription
from self_service_agent.kit.settings import SettingsError, read
from self_service_agent.mcp_servers.servicenow.desk import Desk
from self_service_agent.mcp_servers.servicenow.tools import create_server

from .house import service_tokens
from .settings import HouseSettings

_PATIENCE = timedelta(seconds=30)
_NOWHERE = "http://127.0.0.1:8001/mcp"


@dataclass(frozen=True, kw_only=True)
class ToolRow:
    """One tool in use."""

    server: str
    tool: str
    effect: str
    review: str
    agents: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """A lock file to be written, and how it differs from the one that is there."""

    path: Path
    text: str
    count: int
    differences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Room:
    """The agents' folder, and what its definitions need."""

    settings: AgentServiceSettings
    folder: Path
    definitions: Definitions
    pins: Pins
    making: Toolmaking

    @property
    def used(self) -> frozenset[str]:
        return tools_in(self.definitions)

    def users_of(self, server: str, tool: str) -> tuple[str, ...]:
        """Return the agents that use a tool, under either of its names."""
        names = {tool, f"{server}.{tool}"}
        return tuple(definition.id for definition in self.definitions if names & tools_of(definition))

    def effect_of(self, *names: str) -> str:
        """Return what a tool of one of these names does: one that no agent declares only finds something out."""
        declared = [
            tool.effect for definition in self.definitions for name, tool in definition.tools.items() if name in names
        ]
        return declared[0] if declared else "read"


async def listed(settings: HouseSettings, *, servicenow_url: str, within: timedelta) -> list[ToolRow]:
    """Return every tool in use, of every server; a server without one has a row that says why."""
    room = _room(settings, servicenow_url=servicenow_url, folder=None)
    async with open_servers(room.making) as servers:
        toolbox = Toolbox(servers, room.pins, used=room.used, may_use_unpinned=True)
        reports = await toolbox.report(within=within)
    return [row for report in reports for row in _rows(room, report)]


async def pinned(
    settings: HouseSettings, *, servicenow_url: str | None, folder: Path | None, within: timedelta
) -> Pinned:
    """Ask the servers and return the lock file; the tool server that is part of the product need not be running."""
    room = _room(settings, servicenow_url=servicenow_url or _NOWHERE, folder=folder)
    is_own_here = servicenow_url is None and room.settings.mcp_servicenow_url is None
    found: dict[str, Mapping[str, ToolDescription]] = {}
    async with open_servers(room.making) as servers:
        for name, server in servers.items():
            is_own = is_own_here and name == SERVICENOW
            found[name] = await own_tools() if is_own else await _asked(name, server, within=within)
    try:
        pins = select(found, room.used)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return Pinned(
        path=room.folder / LOCK_FILE,
        text=pins.to_json(),
        count=len(list(pins)),
        differences=tuple(differences(room.pins, pins)),
    )


async def called(
    settings: HouseSettings, tool: str, arguments: dict[str, Any], *, subject: str, servicenow_url: str
) -> dict[str, Any]:
    """Return the answer of a tool that some agent declares as one that reads."""
    room = _room(settings, servicenow_url=servicenow_url, folder=None)
    if tool not in room.used or room.effect_of(tool) != "read":
        raise SettingsError(f"no agent declares {tool} as a tool that reads, so it is not called from here")
    async with open_servers(room.making) as servers:
        try:
            toolbox = Toolbox(servers, room.pins, may_use_unpinned=True)
            return await toolbox.call(tool, arguments, subject=subject, timeout=_PATIENCE)
        except ToolError as error:
            raise SettingsError(f"{tool}: {error}") from error


def _rows(room: _Room, report: ServerReport) -> Iterator[ToolRow]:
    if not report.tools:
        yield ToolRow(server=report.name, tool="-", effect="-", review=report.problem or "no tool in use", agents=())
    for tool, review in report.tools.items():
        yield ToolRow(
            server=report.name,
            tool=tool,
            effect=room.effect_of(tool, f"{report.name}.{tool}"),
            review=review,
            agents=room.users_of(report.name, tool),
        )


def _room(settings: HouseSettings, *, servicenow_url: str, folder: Path | None) -> _Room:
    agents = read(AgentServiceSettings)
    folder = folder or agents.agents_folder or shipped_agents()
    return _Room(
        settings=agents,
        folder=folder,
        definitions=load_definitions(folder, default_agent_id=agents.default_agent_id),
        pins=pins_in(folder),
        making=plan_of(
            agents,
            service_tokens(settings),
            policy=settings.egress(development=True),
            access=ToolAccess(servicenow_url=servicenow_url, may_use_unpinned=True),
        ),
    )


async def _asked(name: str, server: GuardedServer, *, within: timedelta) -> Mapping[str, ToolDescription]:
    try:
        return await server.tools(within=within)
    except protocol.ToolError as error:
        raise SettingsError(f"the tool server {name} cannot be asked: {error}") from error


async def own_tools() -> Mapping[str, ToolDescription]:
    """Return what the ServiceNow tool server of this release says, without running it."""

    @asynccontextmanager
    async def no_desk(_: MCPServer[Desk]) -> AsyncIterator[Desk]:
        yield cast("Desk", None)  # no tool is called

    async with Client(create_server(no_desk)) as client:
        return {tool.name: protocol.read_tool(tool) for tool in (await client.list_tools()).tools}
