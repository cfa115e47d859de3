"""The audit log as services write it: behind the caller's back, or in the transaction of an administrative act."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
import structlog

from self_service_agent.kit import clock
from self_service_agent.kit.database import DATABASE_TROUBLE, Executor, Pool
from self_service_agent.kit.group_writer import GroupWriter
from self_service_agent.kit.ids import new_id
from self_service_agent.kit.notifications import Wakeup

from . import repository
from .entries import ActorKind, AuditEntry, AuditLine, Outcome, storable
from .refusals import Refusals

PENDING_LIMIT = 10_000

_GROUP = 64
_PAUSE_SECONDS = 0.5  # between two writes, so that what repeats is counted before it is written
_RETRY_SECONDS = 2.0
_REJECTIONS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)

log = structlog.get_logger(__name__)


async def record_within(connection: Executor, entry: AuditEntry) -> None:
    """Write an administrative act in the transaction of the act: both are there, or neither."""
    await repository.store(connection, [_line(entry, clock.now())])


class AuditLog:
    """Takes entries without making anybody wait; what does not fit into its bounded memory is at least counted."""

    def __init__(self, pool: Pool, *, now: Callable[[], datetime] = clock.now) -> None:
        self._pool = pool
        self._now = now
        self._pending: dict[str, AuditLine] = {}
        self._refusals = Refusals(_line)
        self._lost = 0
        self._wake = Wakeup()
        self._flushing = asyncio.Lock()
        self._writer: GroupWriter[AuditLine, None] = GroupWriter(self._write, rejections=_REJECTIONS)

    def record(self, entry: AuditEntry) -> None:
        """Have an entry written soon. Equal refusals within a minute become one line with a count."""
        now = self._now()
        is_refusal = entry.outcome is Outcome.REFUSED
        line = self._refusals.counted(entry, now) if is_refusal else _line(entry, now)
        if line.id not in self._pending and len(self._pending) >= PENDING_LIMIT:
            self._lost += 1
            return
        self._pending[line.id] = line
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
            await self._write_the_rest()

    async def flush(self) -> None:
        """Write what is pending, or raise what keeps the database from taking it; it stays pending then."""
        async with self._flushing:
            await self._writer.close()  # a flush that was cut off left something there
            await self._flush()

    async def _flush(self) -> None:
        if self._lost:
            line, self._lost = _line(_overflow(self._lost), self._now()), 0
            self._pending[line.id] = line
        lines = list(self._pending.values())
        for start in range(0, len(lines), _GROUP):
            group = lines[start : start + _GROUP]
            results = await asyncio.gather(*map(self._writer.submit, group), return_exceptions=True)
            for line, result in zip(group, results, strict=True):
                self._settle(line, result)

    async def _write_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            try:
                await self.flush()
                await asyncio.sleep(_PAUSE_SECONDS)
            except DATABASE_TROUBLE as error:
                log.warning("audit.database_unavailable", entries=len(self._pending), error=type(error).__name__)
                self._wake.set()
                await asyncio.sleep(_RETRY_SECONDS)

    async def _write_the_rest(self) -> None:
        try:
            await self.flush()
        except DATABASE_TROUBLE as error:
            log.error("audit.not_written", entries=len(self._pending), error=type(error).__name__)  # noqa: TRY400  # what failed is known, and where does not matter

    async def _write(self, lines: Sequence[AuditLine]) -> Sequence[None]:
        await repository.store(self._pool, lines)
        return [None] * len(lines)

    def _settle(self, line: AuditLine, result: BaseException | None) -> None:
        """Forget a line that is written, or that no database would ever take."""
        if isinstance(result, _REJECTIONS):
            log.error("audit.entry_rejected", action=line.entry.action, error=type(result).__name__)
        elif result is not None:
            raise result
        if self._pending.get(line.id) is line:  # and not already one with a higher count
            del self._pending[line.id]


def _line(entry: AuditEntry, now: datetime) -> AuditLine:
    return AuditLine(id=new_id(), at=now, entry=storable(entry))


def _overflow(count: int) -> AuditEntry:
    return AuditEntry(
        actor="audit-log",
        actor_kind=ActorKind.SERVICE,
        action="audit.entries_lost",
        outcome=Outcome.FAILED,
        reason="more was to be recorded than could be kept in memory while the database did not take it",
        details={"entries": count},
    )
