"""A server of tools that our services call for people."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self, cast

from mcp.shared.exceptions import MCPError
from mcp.types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    PaginatedRequestParams,
)
from pydantic import TypeAdapter, ValidationError

from self_service_agent.kit import clock, tracing
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import ServiceTokens

from . import protocol
from .lines import HttpLine, Line
from .process import Command
from .process_line import ProcessLine
from .protocol import SessionEnded, ToolDescription, ToolInDoubt, ToolRefused, ToolUnavailable

if TYPE_CHECKING:
    from mcp.client.session import ClientSession
    from mcp.types import RequestParamsMeta

_MOST_PAGES = 50
_RESULT: TypeAdapter[CallToolResult | InputRequiredResult] = TypeAdapter(CallToolResult | InputRequiredResult)


class ToolServer:
    """One server, opened once per process; calls for different people may run at the same time."""

    def __init__(self, line: Line, subject: ContextVar[str]) -> None:
        self._line = line
        self._subject = subject
        self._known_tools: Mapping[str, ToolDescription] = {}
        self._learning = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        tokens: ServiceTokens,
        *,
        policy: EgressPolicy,
        service: str = "agent-service",
        audience: str = "mcp-servicenow",
    ) -> AsyncIterator[Self]:
        """Yield one of our own servers, which takes our credentials and speaks our revision of the protocol."""
        subject: ContextVar[str] = ContextVar("subject", default="")

        def headers() -> Mapping[str, str]:
            token = tokens.issue(service=service, audience=audience, subject=subject.get(), now=clock.now())
            return {"Authorization": f"Bearer {token}"}

        async with (
            Client.open(policy=policy, user_agent=service) as http,
            HttpLine.open(http, url, headers=headers, asks_for_revision=False) as line,
        ):
            yield cls(line, subject)

    @classmethod
    @asynccontextmanager
    async def open_foreign(
        cls, url: str, *, headers: Mapping[str, str], policy: EgressPolicy, service: str = "agent-service"
    ) -> AsyncIterator[Self]:
        """Yield somebody else's server over HTTP; it gets these headers, and nothing that says for whom we call."""
        async with (
            Client.open(policy=policy, user_agent=service) as http,
            HttpLine.open(http, url, headers=lambda: headers, asks_for_revision=True) as line,
        ):
            yield cls(line, ContextVar("subject", default=""))

    @classmethod
    @asynccontextmanager
    async def run(cls, command: Command) -> AsyncIterator[Self]:
        """Yield a server that we run as a child process; nothing says to it for whom we call."""
        async with ProcessLine.open(command) as line:
            yield cls(line, ContextVar("subject", default=""))

    async def tools(self, *, within: timedelta) -> Mapping[str, ToolDescription]:
        """Ask the server which tools it has, or raise `ToolUnavailable`."""
        try:
            async with asyncio.timeout(within.total_seconds()), self._learning:
                self._known_tools = {tool.name: tool for tool in await self._listed(within)}
        except (ToolInDoubt, ValidationError, MCPError, TimeoutError) as error:
            raise ToolUnavailable("the server's tools cannot be listed") from error
        return self._known_tools

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        subject: str,
        timeout: timedelta,  # noqa: ASYNC109 - travels with the request, whose end by it means something else
    ) -> dict[str, Any]:
        """Return the tool's structured result for the person `subject`, or raise a `ToolError`."""
        # Requests are sent in this task, so no other call can see or change the subject set here.
        caller = self._subject.set(subject)
        try:
            with tracing.Span("tool") as span:
                span.describe(tool=tool)
                description = await self._known(tool, within=timeout)
                description.require_arguments(arguments)
                result = await self._sent(tool, arguments, within=timeout)
        finally:
            self._subject.reset(caller)
        return protocol.read_result(description, result)

    async def _known(self, tool: str, *, within: timedelta) -> ToolDescription:
        """Know the form of the tool's results before it is called: after a call, learning it could fail."""
        tools = self._known_tools if tool in self._known_tools else await self.tools(within=within)
        if tool not in tools:
            raise ToolRefused(f"the server has no tool {tool}")
        return tools[tool]

    async def _sent(self, tool: str, arguments: Mapping[str, Any], *, within: timedelta) -> CallToolResult:
        try:
            return await self._request(tool, arguments, within=within)
        except SessionEnded:  # the server says that it did nothing, so this is no second try
            return await self._request(tool, arguments, within=within)

    async def _request(self, tool: str, arguments: Mapping[str, Any], *, within: timedelta) -> CallToolResult:
        session = await self._session(within)
        params = CallToolRequestParams(
            name=tool, arguments=dict(arguments), _meta=cast("RequestParamsMeta", _trace_context())
        )
        try:
            # Not `call_tool`: results are checked by whoever knows which form was reviewed.
            result = await session.send_request(CallToolRequest(params=params), _RESULT, within.total_seconds())
        except SessionEnded:
            self._line.lost(session)
            raise
        except MCPError as error:
            raise protocol.read_error(error.error.code, error.error.message) from error
        except ValidationError as error:
            raise ToolInDoubt(f"{tool} answered in a form that the protocol does not know") from error
        if isinstance(result, InputRequiredResult):
            raise ToolRefused(f"{tool} wants to ask the person something, which is not possible here")
        return result

    async def _listed(self, within: timedelta) -> list[ToolDescription]:
        found: list[ToolDescription] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._page(cursor, within=within)
            found.extend(protocol.read_tool(tool) for tool in page.tools)
            cursor = page.next_cursor
            if cursor is None:
                return found
        raise ToolUnavailable("the server's list of tools does not end")

    async def _page(self, cursor: str | None, *, within: timedelta) -> Any:
        params = PaginatedRequestParams(cursor=cursor) if cursor else None
        session = await self._session(within)
        try:
            return await session.list_tools(params=params)
        except SessionEnded:
            self._line.lost(session)
            return await (await self._session(within)).list_tools(params=params)

    async def _session(self, within: timedelta) -> "ClientSession":
        try:
            return await self._line.session(within=within)
        except TimeoutError as error:
            raise ToolUnavailable("the tool server does not answer") from error


def _trace_context() -> dict[str, str]:
    """Return what servers that follow the protocol's convention for traces look for, beside the header."""
    traceparent = tracing.traceparent()
    return {} if traceparent is None else {tracing.HEADER: traceparent}
