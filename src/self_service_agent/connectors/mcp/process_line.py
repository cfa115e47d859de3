"""The line to a tool server that we run ourselves: started with us, and again whenever it dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Self

import structlog
from mcp.client.session import ClientSession

from . import negotiation
from .process import Command, Pipes, running
from .protocol import ToolUnavailable

_PATIENCE_AT_THE_START = timedelta(seconds=30)
_FIRST_REST = timedelta(seconds=0.5)
_LONGEST_REST = timedelta(seconds=60)
_STABLE_AFTER = timedelta(seconds=60)

log = structlog.get_logger(__name__)


def rest_after(deaths: int) -> timedelta:
    """Return how long to wait before the next start, after so many deaths in a row."""
    return min(_LONGEST_REST, _FIRST_REST * (1 << min(deaths - 1, 10)))


class ProcessLine:
    """Keeps one child process running."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._session: ClientSession | None = None
        self._ready = asyncio.Event()
        self._is_resting = False

    @classmethod
    @asynccontextmanager
    async def open(cls, command: Command) -> AsyncIterator[Self]:
        """Yield the line; the process ends with it."""
        line = cls(command)
        keeping = asyncio.create_task(line._keep_running())
        try:
            yield line
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping

    async def session(self, *, within: timedelta) -> ClientSession:
        if self._is_resting:
            raise ToolUnavailable("the tool server ended and is started again shortly")
        async with asyncio.timeout(within.total_seconds()):
            await self._ready.wait()
        if self._session is None:
            raise ToolUnavailable("the tool server has just ended")
        return self._session

    def lost(self, session: ClientSession) -> None:
        """Nothing is to be done: a session is lost when its process ends, and that is seen here."""

    async def _keep_running(self) -> None:
        deaths, loop = 0, asyncio.get_running_loop()
        while True:
            started = loop.time()
            reason = await self._run_once()
            deaths = 1 if loop.time() - started > _STABLE_AFTER.total_seconds() else deaths + 1
            rest = rest_after(deaths)
            log.warning("tools.server_ended", server=self._command.name, reason=reason, again_in=rest.total_seconds())
            self._is_resting = True
            await asyncio.sleep(rest.total_seconds())
            self._is_resting = False

    async def _run_once(self) -> str:
        """Run the process to its end, and return why it ended."""
        try:
            async with running(self._command) as pipes, ClientSession(pipes.incoming, pipes.outgoing) as session:
                return await self._serve(session, pipes)
        except OSError as error:
            return str(error)
        except Exception:
            log.exception("tools.line_failed", server=self._command.name)
            return "the line failed"
        finally:
            self._session = None
            self._ready.clear()

    async def _serve(self, session: ClientSession, pipes: Pipes) -> str:
        # What went wrong is returned: raised in here, it would reach nobody but as one of a group.
        try:
            async with asyncio.timeout(_PATIENCE_AT_THE_START.total_seconds()):
                await negotiation.agree(session)
        except ToolUnavailable as error:
            return str(error)
        except TimeoutError:
            return "it did not answer in time"
        self._session = session
        self._ready.set()
        await pipes.ended.wait()
        return "it ended"
