"""A webhook receiver on loopback that remembers what it was sent and answers as it is told."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import NoReturn, Self

from aiohttp import web

from self_service_agent.kit import clock

from .arrivals import Arrivals

_PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it arrived; header names ignore case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    arrived_at: datetime


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the receiver says to one request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Fault(Enum):
    """What the receiver does to one request instead of answering it."""

    CLOSE = "close the connection"
    HANG = "never answer"


class Receiver:
    """Answers from its script first, then always 200."""

    def __init__(self, *, keep: int) -> None:
        self._arrivals: Arrivals[Received] = Arrivals(keep)
        self._script: deque[Answer | Fault] = deque()
        self._url = ""

    @classmethod
    @asynccontextmanager
    async def open(cls, *, host: str = "127.0.0.1", port: int = 0, keep: int = 1000) -> AsyncIterator[Self]:
        """Yield a receiver that listens; port 0 takes a free one."""
        receiver = cls(keep=keep)
        server = web.Server(receiver._respond, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        receiver._url = f"http://{host}:{runner.addresses[0][1]}"
        try:
            yield receiver
        finally:
            await runner.cleanup()

    @property
    def url(self) -> str:
        return self._url

    @property
    def received(self) -> tuple[Received, ...]:
        """What was kept, newest last."""
        return self._arrivals.kept

    def script(self, *answers: int | Answer | Fault) -> None:
        """Answer the next requests with these, one each; a number is a status without a body."""
        self._script.extend(Answer(status=answer) if isinstance(answer, int) else answer for answer in answers)

    async def wait_for(self, count: int, within: timedelta = _PATIENCE) -> tuple[Received, ...]:
        """Return what was kept once `count` requests have arrived in all, or raise TimeoutError."""
        return await self._arrivals.wait_for(count, within)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        received = Received(
            method=request.method,
            path=request.path_qs,
            headers=request.headers,
            body=await request.read(),
            arrived_at=clock.now(),
        )
        self._arrivals.add(received)
        return await self._answer(request, self._script.popleft() if self._script else Answer())

    async def _answer(self, request: web.BaseRequest, answer: Answer | Fault) -> web.StreamResponse:
        match answer:
            case Answer():
                return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
            case Fault.CLOSE:
                if request.transport is not None:
                    request.transport.abort()
            case Fault.HANG:
                pass
        return await _until_closed()


async def _until_closed() -> NoReturn:
    """Wait for the end of the connection: the server cancels its handler then."""
    while True:
        await asyncio.Event().wait()
