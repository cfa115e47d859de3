"""The audit log and keys that no longer work are kept for a time, and then deleted in small steps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from self_service_agent.kit.database import DATABASE_TROUBLE, Pool, finish

_AT_ONCE: Final = 1_000
_FIRST_AFTER_SECONDS: Final = 30
_INTERVAL_SECONDS: Final = 24 * 3600

# Two processes that clean at once delete different lines.
_DELETE_LINES = f"""
    DELETE FROM audit_log WHERE id = ANY(ARRAY(
        SELECT id FROM audit_log WHERE at < now() - $1::interval ORDER BY at, id LIMIT {_AT_ONCE}
        FOR UPDATE SKIP LOCKED))
"""  # noqa: S608  # a number of our own

_DELETE_KEYS = f"""
    DELETE FROM api_keys WHERE key_id = ANY(ARRAY(
        SELECT key_id FROM api_keys
        WHERE revoked_at < now() - $1::interval OR expires_at < now() - $1::interval ORDER BY key_id LIMIT {_AT_ONCE}
        FOR UPDATE SKIP LOCKED))
"""  # noqa: S608  # a number of our own

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long lines of the audit log are kept, and keys after their end; None is for ever."""

    lines: timedelta | None
    dead_keys: timedelta | None


async def clean(pool: Pool, keeping: Keeping) -> dict[str, int]:
    """Delete what was kept long enough, and return how many rows of which table."""
    wanted = {"audit_log": (_DELETE_LINES, keeping.lines), "api_keys": (_DELETE_KEYS, keeping.dead_keys)}
    return {table: await _delete(pool, *each) for table, each in wanted.items()}


@asynccontextmanager
async def cleaning(pool: Pool, keeping: Keeping) -> AsyncIterator[None]:
    """Clean half a minute after this is opened, and then every day for as long as it is open."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(_clean_for_ever(pool, keeping))
        try:
            yield
        finally:
            task.cancel()


async def _clean_for_ever(pool: Pool, keeping: Keeping) -> None:
    await asyncio.sleep(_FIRST_AFTER_SECONDS)
    while True:
        try:
            log.info("audit.cleaned", deleted=await clean(pool, keeping))
        except DATABASE_TROUBLE as error:
            log.warning("audit.not_cleaned", error=str(error))
        await asyncio.sleep(_INTERVAL_SECONDS)


async def _delete(pool: Pool, statement: str, keep: timedelta | None) -> int:
    total, step = 0, _AT_ONCE
    while keep is not None and step == _AT_ONCE:
        step = int((await finish(pool.execute(statement, keep))).removeprefix("DELETE "))
        total += step
    return total
