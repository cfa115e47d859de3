"""Sessions are kept for a time: those past theirs are marked, and those that ended long ago are deleted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import structlog

from self_service_agent.kit.database import DATABASE_TROUBLE, Pool, PooledConnection, finish
from self_service_agent.shared_models.users import giving_way

from .purge import AT_WORK, Counts, added, count, purge
from .rules import RetentionPolicy

_LOCK: Final = 0x5E5510  # advisory: whoever cleans holds it in each of its transactions
_MARKED_AT_ONCE: Final = 1_000
_DELETED_AT_ONCE: Final = 50

# The active ones are walked in the order of their index; an index on `expires_at` would cost every request something.
_MARK = f"""
    WITH page AS MATERIALIZED (
        SELECT session_id, user_id, scope, expires_at FROM request_sessions
        WHERE status = 'ACTIVE' AND (user_id, scope) > ($1, $2) ORDER BY user_id, scope LIMIT {_MARKED_AT_ONCE}
    ), expired AS (
        UPDATE request_sessions SET status = 'EXPIRED', updated_at = now()
        WHERE session_id = ANY(ARRAY(SELECT session_id FROM page WHERE expires_at <= now()))
            AND status || '' = 'ACTIVE' AND expires_at <= now() AND NOT $3
        RETURNING session_id
    )
    SELECT user_id, scope, (SELECT count(*) FROM expired) AS marked,
        (SELECT count(*) FROM page WHERE expires_at <= now()) AS due
    FROM page ORDER BY user_id DESC, scope DESC LIMIT 1
"""  # noqa: S608  # a number of our own

_KEPT_LONG_ENOUGH = f"""
    SELECT session_id, created_at FROM request_sessions s
    WHERE status IN ('INACTIVE', 'EXPIRED') AND (created_at, session_id) > ($1, $2)
        AND created_at <= now() - $3::interval AND updated_at <= now() - $3::interval AND NOT ({AT_WORK})
    ORDER BY created_at, session_id LIMIT {_DELETED_AT_ONCE}
"""  # noqa: S608  # a condition of our own

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What a run did, or would do: sessions marked as expired, and rows deleted by table."""

    expired: int = 0
    deleted: Counts = field(default_factory=dict)


class _Occupied(Exception):
    """Another process is cleaning."""


async def clean(pool: Pool, *, keep: timedelta, dry_run: bool = False) -> Cleaned:
    """Mark what has expired and delete what ended longer ago than `keep`, in small steps.

    A session with something still to be done stays. While another process cleans, nothing is done here.
    """
    try:
        expired = await _mark(pool, dry_run=dry_run)
        return Cleaned(expired=expired, deleted=await _delete(pool, keep=keep, dry_run=dry_run))
    except _Occupied:
        log.info("sessions.cleaned_elsewhere")
        return Cleaned()


class Retention:
    """Cleans once shortly after the start, and then at intervals, while `running` is open."""

    def __init__(self, pool: Pool, policy: RetentionPolicy) -> None:
        self._pool = pool
        self._policy = policy

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            cleaning = tasks.create_task(self._clean_for_ever())
            try:
                yield
            finally:
                cleaning.cancel()

    async def _clean_for_ever(self) -> None:
        await asyncio.sleep(self._policy.first_after.total_seconds())
        while True:
            try:
                cleaned = await clean(self._pool, keep=self._policy.keep)
                log.info("sessions.cleaned", expired=cleaned.expired, deleted=cleaned.deleted)
            except DATABASE_TROUBLE as error:
                log.warning("sessions.not_cleaned", error=str(error))
            await asyncio.sleep(self._policy.interval.total_seconds())


async def _mark(pool: Pool, *, dry_run: bool) -> int:
    marked, user_id, scope = 0, "", ""

    async def step(connection: PooledConnection) -> asyncpg.Record | None:
        await _occupy(connection)
        return await connection.fetchrow(_MARK, user_id, scope, dry_run)

    while row := await finish(giving_way(pool, step)):
        marked += row["due"] if dry_run else row["marked"]
        user_id, scope = row["user_id"], row["scope"]
    return marked


async def _delete(pool: Pool, *, keep: timedelta, dry_run: bool) -> Counts:
    counts: Counts = {}
    created_at, session_id = _BEGINNING, ""

    async def step(connection: PooledConnection) -> tuple[list[asyncpg.Record], Counts]:
        await _occupy(connection)
        rows = await connection.fetch(_KEPT_LONG_ENOUGH + _locking(dry_run), created_at, session_id, keep)
        ids = [row["session_id"] for row in rows]
        return rows, await (count(connection, ids) if dry_run else purge(connection, ids))

    while True:
        rows, more = await finish(giving_way(pool, step))
        if not rows:
            return counts
        counts = added(counts, more)
        created_at, session_id = rows[-1]["created_at"], rows[-1]["session_id"]


def _locking(dry_run: bool) -> str:  # noqa: FBT001  # says which of two statements it is
    return "" if dry_run else " FOR UPDATE OF s SKIP LOCKED"


async def _occupy(connection: PooledConnection) -> None:
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
        raise _Occupied
