"""How events are kept in PostgreSQL: the statements of the embedded bus."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool, PooledConnection

from .bus import DeadLetter
from .envelope import CloudEvent

BATCH = 256

# Other statements that make something true append this to publish the fact in the same breath: `{rows}` yields
# consumer, source, event_id, type, subject, partition_key, extensions, time, data and whether its id is remembered once
# it is handled. It need not be where the statement can make the fact true only once, and the handler takes it once.
INSERT_EVENTS = """
    INSERT INTO event_inbox (consumer, source, event_id, type, subject, partition_key, extensions, time, data,
        is_remembered)
    {rows}
    ON CONFLICT (consumer, source, event_id) DO NOTHING
"""

_PUBLISH = INSERT_EVENTS.format(
    rows="""SELECT *, true FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
        $7::jsonb[], $8::timestamptz[], $9::jsonb[])"""
)

# One statement takes a batch and acknowledges it: events are deleted and their ids remembered in the transaction of
# their handler, which undoes both if it fails. Lanes of other processes are left out by the lock; rows that they have
# finished since our snapshot by FOR UPDATE, which looks at the newest version; repeated ids by the memory of them.
_TAKE = """
    WITH waiting AS MATERIALIZED (
        SELECT i.id, i.lane FROM event_inbox i
        WHERE i.consumer = $1 AND i.state = 'ready' AND ($3::bigint IS NULL OR i.id = $3) AND NOT EXISTS (
            SELECT FROM event_parking p
            WHERE p.consumer = i.consumer AND p.partition_key = i.partition_key AND p.until > now() OFFSET 0)
        ORDER BY i.id LIMIT $2
    ), mine AS MATERIALIZED (
        SELECT lane FROM (SELECT DISTINCT lane FROM waiting) lanes
        WHERE pg_try_advisory_xact_lock(hashtext($1), lane)
    ), locked AS MATERIALIZED (
        SELECT i.id FROM event_inbox i
        WHERE i.id = ANY(ARRAY(SELECT w.id FROM waiting w JOIN mine USING (lane)))
            AND i.state || '' = 'ready' -- not an index condition: rows are found by their id
        FOR UPDATE OF i
    ), taken AS (
        DELETE FROM event_inbox i WHERE i.id = ANY(ARRAY(SELECT l.id FROM locked l))
        RETURNING i.id, i.event_id, i.source, i.type, i.partition_key, i.extensions, i.data, i.is_remembered
    ), remembered AS (
        INSERT INTO processed_events (event_id, consumer, event_source)
        SELECT event_id, $1, source FROM taken WHERE is_remembered ORDER BY id ON CONFLICT DO NOTHING
        RETURNING event_id, event_source
    )
    SELECT t.*, NOT t.is_remembered OR r.event_id IS NOT NULL AS is_new
    FROM taken t LEFT JOIN remembered r ON r.event_id = t.event_id AND r.event_source = t.source ORDER BY t.id
"""

_FAILED = "UPDATE event_inbox SET attempts = attempts + 1, error = $2 WHERE id = $1 RETURNING attempts"

_PARK = """
    INSERT INTO event_parking (consumer, partition_key, until) VALUES ($1, $2, $3)
    ON CONFLICT (consumer, partition_key) DO UPDATE SET until = EXCLUDED.until
"""

_DEAD_LETTERS = """
    SELECT id, consumer, attempts, error, source, event_id, type, subject, extensions, time, data
    FROM event_inbox WHERE consumer = $1 AND state = 'dead' ORDER BY id LIMIT $2
"""

_FORGET = """
    WITH parked AS (DELETE FROM event_parking WHERE until < now())
    DELETE FROM processed_events WHERE created_at < $1
"""

# Here for all queues alike, the turns and the deliveries too, so that whoever asks for the metrics costs one statement.
_OLDEST = """
    SELECT 'events/' || c.name AS queue, extract(epoch FROM now() - e.received_at)::float8 AS age
    FROM unnest($1::text[]) AS c (name) LEFT JOIN LATERAL (
        SELECT received_at FROM event_inbox WHERE consumer = c.name AND state = 'ready' ORDER BY id LIMIT 1
    ) e ON true
    UNION ALL
    SELECT 'turns', extract(epoch FROM now() - (
        SELECT created_at FROM turns
        WHERE finished_at IS NULL AND status <> 'queued' AND not_before <= now()
            AND (lease_until IS NULL OR lease_until <= now())
        ORDER BY created_at LIMIT 1))::float8
    UNION ALL
    SELECT 'deliveries', max(extract(epoch FROM now() - d.next_attempt_at))::float8
    FROM unnest($2::text[]) AS c (name) CROSS JOIN LATERAL (
        SELECT next_attempt_at FROM delivery_logs
        WHERE integration_type = c.name AND status IN ('PENDING', 'RETRYING') AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT 1
    ) d
"""
_PATIENCE = 2.0


async def insert(connection: PooledConnection, addressed: Sequence[tuple[str, CloudEvent, str]]) -> None:
    """Store events, each as (consumer, event, partition key)."""
    rows = [_row(consumer, event, key) for consumer, event, key in addressed]
    await connection.execute(_PUBLISH, *map(list, zip(*rows, strict=True)))


async def take(connection: PooledConnection, consumer: str) -> list[asyncpg.Record]:
    """Return what `consumer` is to handle now, in order; it is handled once the transaction is committed."""
    return await connection.fetch(_TAKE, consumer, BATCH, None)


async def take_one(connection: PooledConnection, consumer: str, row_id: int) -> list[asyncpg.Record]:
    """Return one event in the same way; nothing if it is handled, parked or in another process's hands."""
    return await connection.fetch(_TAKE, consumer, 1, row_id)


async def count_failure(connection: PooledConnection, row_id: int, error: str) -> int:
    """Record a failed attempt and return how many there are now."""
    return int(await connection.fetchval(_FAILED, row_id, error))


async def park(connection: PooledConnection, consumer: str, partition_key: str, *, until: datetime) -> None:
    """Let no event of this key be handled before `until`."""
    await connection.execute(_PARK, consumer, partition_key, until)


async def bury(connection: PooledConnection, row_id: int) -> None:
    """Give an event up."""
    await connection.execute("UPDATE event_inbox SET state = 'dead' WHERE id = $1", row_id)


async def dead_letters(pool: Pool, consumer: str, limit: int) -> tuple[DeadLetter, ...]:
    return tuple(map(_dead_letter, await pool.fetch(_DEAD_LETTERS, consumer, limit)))


async def revive(pool: Pool, row_id: int) -> str | None:
    """Make a dead letter ready again and return its consumer, or None if there is no such dead letter."""
    consumer = await pool.fetchval(
        "UPDATE event_inbox SET state = 'ready', attempts = 0, error = NULL"
        " WHERE id = $1 AND state = 'dead' RETURNING consumer",
        row_id,
    )
    return None if consumer is None else str(consumer)


async def forget(pool: Pool, *, handled_before: datetime) -> None:
    """Forget the ids of events handled before then; a copy that arrives later would be handled again."""
    await pool.execute(_FORGET, handled_before)


def sequence_of(record: asyncpg.Record) -> int | None:
    sequence = extensions_of(record).get("sequence")
    return int(sequence) if sequence is not None else None


def extensions_of(record: asyncpg.Record) -> Mapping[str, Any]:
    extensions: Mapping[str, Any] = orjson.loads(record["extensions"]) if record["extensions"] else {}
    return extensions


async def oldest_ages(pool: Pool, consumers: Sequence[str], channels: Sequence[str]) -> dict[str, float]:
    """Return for how many seconds the oldest thing in each queue of this database has been waiting; 0 for none."""
    async with pool.acquire(timeout=_PATIENCE) as connection:
        rows = await connection.fetch(_OLDEST, consumers, channels, timeout=_PATIENCE)
    return {row["queue"]: max(row["age"] or 0.0, 0.0) for row in rows}


def _row(consumer: str, event: CloudEvent, partition_key: str) -> tuple[Any, ...]:
    return (
        consumer,
        event.source,
        event.id,
        event.type,
        event.subject,
        partition_key,
        orjson.dumps(dict(event.extensions)).decode(),
        event.time or clock.now(),
        (event.data or b"null").decode(),
    )


def _dead_letter(record: asyncpg.Record) -> DeadLetter:
    event = CloudEvent(
        id=record["event_id"],
        source=record["source"],
        type=record["type"],
        subject=record["subject"],
        time=record["time"],
        datacontenttype="application/json",
        dataschema=None,
        extensions=extensions_of(record),
        data=record["data"].encode(),
    )
    return DeadLetter(
        id=record["id"], event=event, consumer=record["consumer"], attempts=record["attempts"], error=record["error"]
    )
