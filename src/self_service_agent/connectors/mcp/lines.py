"""Lines to tool servers: how a session comes about, and what happens when it is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol, Self

from mcp.client.session import ClientSession

from self_service_agent.kit.http.client import Client

from . import negotiation
from .wire import HttpDispatcher


class Line(Protocol):
    """Gives sessions to whoever wants to call a tool."""

    async def session(self, *, within: timedelta) -> ClientSession:
        """Return a session that is ready for requests, or raise `ToolUnavailable`."""
        ...

    def lost(self, session: ClientSession) -> None:
        """Do not give this session to anybody again."""
        ...


class HttpLine:
    """One server over HTTP; nothing is sent before the first call, so it may start later than we do."""

    def __init__(
        self, http: Client, url: str, *, headers: Callable[[], Mapping[str, str]], asks_for_revision: bool
    ) -> None:
        self._http = http
        self._url = url
        self._headers = headers
        self._asks_for_revision = asks_for_revision
        self._current: tuple[ClientSession, HttpDispatcher] | None = None
        self._agreeing = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, http: Client, url: str, *, headers: Callable[[], Mapping[str, str]], asks_for_revision: bool
    ) -> AsyncIterator[Self]:
        """Yield the line; a session that the server gave us is given back at the end."""
        line = cls(http, url, headers=headers, asks_for_revision=asks_for_revision)
        try:
            yield line
        finally:
            if line._current is not None:
                await line._current[1].end()

    async def session(self, *, within: timedelta) -> ClientSession:
        if self._current is None:
            async with asyncio.timeout(within.total_seconds()), self._agreeing:
                self._current = self._current or await self._new()
        return self._current[0]

    def lost(self, session: ClientSession) -> None:
        if self._current is not None and self._current[0] is session:
            self._current = None

    async def _new(self) -> tuple[ClientSession, HttpDispatcher]:
        # A session is not entered: that runs what receives from the server on its own, and here nothing does.
        dispatcher = HttpDispatcher(self._http, self._url, headers=self._headers)
        session = ClientSession(dispatcher=dispatcher)
        if self._asks_for_revision:
            await negotiation.agree(session)
        else:
            session.adopt(negotiation.without_asking())
        return session, dispatcher
