"""All tools of all servers: found by name, only as they were reviewed, with arguments and answers of their form."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import structlog

from self_service_agent.agent_service.flows import tools
from self_service_agent.connectors.mcp import protocol
from self_service_agent.connectors.mcp.protocol import ToolDescription
from self_service_agent.kit.breaker import BreakerState

from .addresses import ToolAddress, address_of
from .guarded import GuardedServer
from .pins import Pins, SeveralServers, changes, digest_of
from .results import ResultRefused, tidy

_PATIENCE_OF_HEALTH = timedelta(seconds=2)

log = structlog.get_logger(__name__)


class Review(StrEnum):
    """What is known of a tool: reviewed and unchanged, changed since, never reviewed, or not there."""

    PINNED = "pinned"
    CHANGED = "changed"
    UNPINNED = "unpinned"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class ServerReport:
    """How a server is; `problem` is why it could not be asked."""

    name: str
    problem: str | None
    breaker: BreakerState
    tools: Mapping[str, Review]


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A tool that may be called now."""

    server: GuardedServer
    tool: ToolDescription


class Toolbox:
    """Calls tools; what it raises are the flow engine's `ToolError`s."""

    def __init__(
        self, servers: Mapping[str, GuardedServer], pins: Pins, *, used: Iterable[str] = (), may_use_unpinned: bool
    ) -> None:
        self._servers = dict(servers)
        self._pins = pins
        self._used = frozenset(used)
        self._may_use_unpinned = may_use_unpinned

    def adopt(self, pins: Pins, *, used: Iterable[str]) -> None:
        """Go by other pins from the next call on."""
        self._pins = pins
        self._used = frozenset(used)

    async def check(self, tool: str, arguments: Mapping[str, Any], *, within: timedelta) -> None:
        """Raise unless the tool is there, is the one that was reviewed, and takes these arguments."""
        async with _in_words_of_flows():
            found = await self._find(tool, within=within)
            found.tool.require_arguments(arguments)

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        subject: str,
        timeout: timedelta,  # noqa: ASYNC109  # travels with the call, whose end by it means something else
    ) -> dict[str, Any]:
        """Return the tool's answer for the person `subject`."""
        async with _in_words_of_flows():
            found = await self._find(tool, within=timeout)
            answer = await found.server.call(found.tool.name, arguments, subject=subject, timeout=timeout)
        try:
            return tidy(answer)
        except ResultRefused as error:
            raise tools.ToolInDoubt(f"the answer of {tool} cannot be kept: {error}") from error

    async def report(self, *, within: timedelta) -> list[ServerReport]:
        """Ask every server at once, and say of each how it is, and how those of its tools are that are in use."""
        wanted: dict[str, list[str]] = {name: [] for name in self._servers}
        for tool in sorted(self._used):
            with suppress(SeveralServers):
                address = address_of(tool, servers=self._servers, pins=self._pins)
                if address is not None and address.server in wanted:
                    wanted[address.server].append(address.tool)
        return await asyncio.gather(
            *(self._report(server, wanted[name], within=within) for name, server in self._servers.items())
        )

    async def details(self) -> Mapping[str, Any]:
        """Return the report in the form in which the service's health shows it."""
        reports = await self.report(within=_PATIENCE_OF_HEALTH)
        return {
            "tool_servers": [
                {
                    "name": report.name,
                    "reachable": report.problem is None,
                    "problem": report.problem,
                    "breaker": report.breaker,
                    "tools": report.tools,
                }
                for report in reports
            ]
        }

    async def _report(self, server: GuardedServer, tools: Iterable[str], *, within: timedelta) -> ServerReport:
        problem, described = None, server.known_tools
        try:
            described = await server.tools(within=within)
        except protocol.ToolError as error:
            problem = str(error)
        reviews = (
            {} if problem and not described else {tool: self._review(server.name, tool, described) for tool in tools}
        )
        return ServerReport(name=server.name, problem=problem, breaker=server.breaker, tools=reviews)

    def _review(self, server: str, tool: str, described: Mapping[str, ToolDescription]) -> Review:
        if tool not in described:
            return Review.MISSING
        pinned = self._pins.find(server, tool)
        if pinned is None:
            return Review.UNPINNED
        return Review.PINNED if digest_of(pinned) == digest_of(described[tool]) else Review.CHANGED

    async def _find(self, tool: str, *, within: timedelta) -> _Found:
        address = await self._address(tool, within=within)
        server = self._servers.get(address.server)
        if server is None:
            raise protocol.ToolUnavailable(f"the tool server {address.server} is not configured")
        described = (await server.tools(within=within)).get(address.tool)
        if described is None:
            raise protocol.ToolUnavailable(f"the tool server {address.server} does not have the tool {address.tool}")
        self._require_reviewed(address, described)
        return _Found(server=server, tool=described)

    async def _address(self, tool: str, *, within: timedelta) -> ToolAddress:
        try:
            address = address_of(tool, servers=self._servers, pins=self._pins)
            return address or await self._asked_for(tool, within=within)
        except SeveralServers as error:
            log.warning("tools.name_is_ambiguous", tool=tool, reason=str(error))
            raise protocol.ToolUnavailable(str(error)) from error

    async def _asked_for(self, tool: str, *, within: timedelta) -> ToolAddress:
        having = [name for name, server in self._servers.items() if tool in await server.tools(within=within)]
        if len(having) > 1:
            raise SeveralServers(tool, having)
        if not having:
            raise protocol.ToolUnavailable(f"no tool server has the tool {tool}")
        return ToolAddress(having[0], tool)

    def _require_reviewed(self, address: ToolAddress, described: ToolDescription) -> None:
        pinned = self._pins.find(address.server, address.tool)
        if pinned is None:
            if self._may_use_unpinned:
                return
            log.error("tools.not_pinned", server=address.server, tool=address.tool)
            raise protocol.ToolUnavailable(f"the tool {address.tool} was not reviewed")
        if digest_of(pinned) != digest_of(described):
            log.error("tools.changed", server=address.server, tool=address.tool, changed=changes(pinned, described))
            raise protocol.ToolUnavailable(f"the tool {address.tool} is not the one that was reviewed")


@asynccontextmanager
async def _in_words_of_flows() -> AsyncIterator[None]:
    try:
        yield
    except protocol.ToolUnavailable as error:
        raise tools.ToolUnavailable(str(error)) from error
    except protocol.ToolRefused as error:
        raise tools.ToolRefused(str(error)) from error
    except protocol.ToolInDoubt as error:
        raise tools.ToolInDoubt(str(error)) from error
