"""Approvals whose time is over, or whose conversation has ended, come to an end by themselves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from self_service_agent.eventing.bus import Bus
from self_service_agent.kit.database import DATABASE_TROUBLE, Pool, PooledConnection, finish
from self_service_agent.kit.notifications import Notifier

from . import repository
from .announcing import TYPES, announce_ended, still_open

TOPIC: Final = "approvals"
_SWEEP: Final = 60.0
_SHORTEST_WAIT: Final = 0.05
_AT_ONCE: Final = 100

log = structlog.get_logger(__name__)


class ApprovalExpiry:
    """Waits for the next approval to expire while `running` is open, and looks around once a minute."""

    def __init__(self, pool: Pool, bus: Bus, notifier: Notifier) -> None:
        self._pool = pool
        self._bus = bus
        self._wakeup = notifier.wakeup(TOPIC)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(self._end_for_ever())
            try:
                yield
            finally:
                ending.cancel()

    async def end(self) -> int:
        """End everything that is due, and return how many that were."""
        return await self._end_all(repository.end_due) + await self._end_all(repository.end_abandoned)

    async def _end_for_ever(self) -> None:
        while True:
            wait = _SWEEP
            try:
                await self.end()
                seconds = await repository.seconds_to_next(self._pool)
                wait = _SWEEP if seconds is None else min(_SWEEP, max(_SHORTEST_WAIT, seconds))
            except DATABASE_TROUBLE as error:
                log.warning("approvals.not_ended", error=str(error))
            await self._wakeup.wait(sweep=timedelta(seconds=wait))

    async def _end_all(self, end: Callable[[PooledConnection], Awaitable[Sequence[asyncpg.Record]]]) -> int:
        count = 0
        while ended := await finish(self._end_some(end)):
            count += ended
            self._bus.published(*TYPES)
            if ended < _AT_ONCE:
                break
        return count

    async def _end_some(self, end: Callable[[PooledConnection], Awaitable[Sequence[asyncpg.Record]]]) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            ended = await end(connection)
            going_on = still_open(ended)
            await announce_ended(self._bus, going_on, connection)
            await announce_ended(self._bus, [row for row in ended if row not in going_on], connection, told=False)
            return len(ended)
