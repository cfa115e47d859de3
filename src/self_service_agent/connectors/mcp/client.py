"""A server of tools that our services call for people."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self, cast

from mcp.client.session import ClientSession
from mcp.types import CallToolResult, DiscoverResult, ServerCapabilities
from pydantic import ValidationError

from self_service_agent.kit import clock, tracing
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import ServiceTokens

from . import protocol
from .protocol import ToolInDoubt, ToolRefused, ToolUnavailable
from .wire import HttpDispatcher

if TYPE_CHECKING:
    from mcp.types import RequestParamsMeta

_VERSION = "2026-07-28"


class ToolServer:
    """One server, opened once per process; calls for different people may run at the same time."""

    def __init__(self, session: ClientSession, subject: ContextVar[str]) -> None:
        self._session = session
        self._subject = subject
        self._known_tools: frozenset[str] = frozenset()
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
        """Yield the server at `url`; nothing is sent before the first call, so it may start later than we do."""
        subject: ContextVar[str] = ContextVar("subject")

        def credential() -> str:
            return tokens.issue(service=service, audience=audience, subject=subject.get(), now=clock.now())

        async with (
            Client.open(policy=policy, user_agent=service) as http,
            ClientSession(dispatcher=HttpDispatcher(http, url, credential=credential)) as session,
        ):
            session.adopt(_without_handshake())
            yield cls(session, subject)

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
                await self._learn(tool, within=timeout)
                result = await self._called(tool, arguments, within=timeout)
        finally:
            self._subject.reset(caller)
        return protocol.read_result(tool, result)

    async def _called(self, tool: str, arguments: Mapping[str, Any], *, within: timedelta) -> CallToolResult:
        try:
            return await self._session.call_tool(
                tool, dict(arguments), within.total_seconds(), meta=cast("RequestParamsMeta", _trace_context())
            )
        # The SDK raises RuntimeError for a result that does not have the form the tool declares.
        except (ValidationError, RuntimeError) as error:
            raise ToolInDoubt(f"{tool} answered in a form that it does not declare") from error

    async def _learn(self, tool: str, *, within: timedelta) -> None:
        """Know the form of the tool's results before it is called: after a call, learning it could fail."""
        if tool not in self._known_tools:
            try:
                async with asyncio.timeout(within.total_seconds()), self._learning:
                    self._known_tools = self._known_tools or await self._listed_tools()
            except (ToolInDoubt, ValidationError, TimeoutError) as error:
                raise ToolUnavailable("the server's tools cannot be listed") from error
        if tool not in self._known_tools:
            raise ToolRefused(f"the server has no tool {tool}")

    async def _listed_tools(self) -> frozenset[str]:
        listing = await self._session.list_tools()
        return frozenset(tool.name for tool in listing.tools)


def _trace_context() -> dict[str, str]:
    """Return what servers that follow the protocol's convention for traces look for, beside the header."""
    traceparent = tracing.traceparent()
    return {} if traceparent is None else {tracing.HEADER: traceparent}


def _without_handshake() -> DiscoverResult:
    return DiscoverResult(
        supported_versions=[_VERSION],
        capabilities=ServerCapabilities(),
        result_type="complete",
        ttl_ms=0,
        cache_scope="public",
    )
