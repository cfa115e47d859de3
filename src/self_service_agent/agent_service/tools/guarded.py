"""One tool server as we use it: not too often at once, not while it is down, and knowing what it says about itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from self_service_agent.connectors.mcp.client import ToolServer
from self_service_agent.connectors.mcp.protocol import ToolDescription, ToolError, ToolRefused, ToolUnavailable
from self_service_agent.kit.breaker import Breaker, BreakerState

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServerLimits:
    """How many calls at once, and how long what the server says about its tools is believed."""

    concurrency: int = 16
    recheck: timedelta = timedelta(seconds=60)


class GuardedServer:
    """A server with a limit, a breaker, and its tools as it described them last."""

    def __init__(self, name: str, server: ToolServer, limits: ServerLimits) -> None:
        self.name = name
        self._server = server
        self._limits = limits
        self._permits = asyncio.Semaphore(limits.concurrency)
        self._breaker = Breaker()
        self._listing = asyncio.Lock()
        self._tools: Mapping[str, ToolDescription] = {}
        self._listed_at: float | None = None

    @property
    def breaker(self) -> BreakerState:
        return self._breaker.state(now=_now())

    @property
    def known_tools(self) -> Mapping[str, ToolDescription]:
        """What the server said last; empty if it was not asked yet."""
        return self._tools

    async def tools(self, *, within: timedelta) -> Mapping[str, ToolDescription]:
        """Return the server's tools as it describes them now or did lately, or raise `ToolUnavailable`."""
        if self._is_stale():
            async with self._listing:
                if self._is_stale():
                    await self._list(within)
        return self._tools

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        subject: str,
        timeout: timedelta,  # noqa: ASYNC109  # travels on
    ) -> dict[str, Any]:
        """Return the tool's answer, or raise a `ToolError`."""
        async with self._permit(timeout), self._watched():
            return await self._server.call(tool, arguments, subject=subject, timeout=timeout)

    async def _list(self, within: timedelta) -> None:
        async with self._watched():
            self._tools = await self._server.tools(within=within)
        self._listed_at = _now()

    def _is_stale(self) -> bool:
        oldest = _now() - self._limits.recheck.total_seconds()
        # After trouble the server is asked for its tools first: so no call that writes is the one that tries it out.
        return self._listed_at is None or self._listed_at < oldest or self.breaker is not BreakerState.CLOSED

    @asynccontextmanager
    async def _permit(self, within: timedelta) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(within.total_seconds()):
                await self._permits.acquire()
        except TimeoutError:
            raise ToolUnavailable(f"the tool server {self.name} is busy") from None
        try:
            yield
        finally:
            self._permits.release()

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Let the breaker see how the line does; what a tool itself reports says nothing about the line."""
        if not self._breaker.admits(now=_now()):
            raise ToolUnavailable(f"the tool server {self.name} failed too often and is given a rest")
        try:
            yield
        except ToolError as error:
            if isinstance(error, ToolRefused) or error.is_reported:
                self._breaker.succeeded()
            else:
                self._failed(error)
            raise
        except BaseException:
            self._breaker.abandoned()
            raise
        else:
            self._breaker.succeeded()

    def _failed(self, error: ToolError) -> None:
        before = self.breaker
        self._breaker.failed(now=_now())
        if before is not BreakerState.OPEN and self.breaker is BreakerState.OPEN:
            log.error("tools.server_given_a_rest", server=self.name, reason=str(error))


def _now() -> float:
    return asyncio.get_running_loop().time()
