"""When each key was used last, noted at most once a minute and written behind the caller's back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from self_service_agent.kit.database import DATABASE_TROUBLE, Pool, finish
from self_service_agent.kit.notifications import Wakeup

from . import repository

_APART = timedelta(minutes=1)
_NOTED_LIMIT = 50_000
_PAUSE_SECONDS = 1.0  # between two writes, so that many keys share one

log = structlog.get_logger(__name__)


class LastUse:
    """Remembers uses until they are written; they may be lost with the process."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._noted: dict[str, datetime] = {}
        self._unwritten: dict[str, datetime] = {}
        self._wake = Wakeup()

    def note(self, key_id: str, now: datetime) -> None:
        """Note that a key is used now, unless that was noted within the last minute."""
        noted = self._noted.get(key_id)
        if noted is not None and now - noted < _APART:
            return
        if len(self._noted) >= _NOTED_LIMIT:
            self._noted.clear()
        self._noted[key_id] = self._unwritten[key_id] = now
        self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write for as long as this is open, and what is left when it closes."""
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write_for_ever())
                try:
                    yield
                finally:
                    writing.cancel()
        finally:
            await self._write()

    async def _write_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            await self._write()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _write(self) -> None:
        """Write what is noted. Another process may have noted the same, and one of the two is enough."""
        uses, self._unwritten = self._unwritten, {}
        if not uses:
            return
        try:
            await finish(repository.note_use(self._pool, uses, apart=_APART))
        except DATABASE_TROUBLE as error:
            log.warning("keys.use_not_noted", keys=len(uses), error=type(error).__name__)
