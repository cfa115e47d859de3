"""Deleting sessions with everything that belongs to them, in every table."""

from collections.abc import Sequence
from typing import Final

from self_service_agent.kit.database import PooledConnection

Counts = dict[str, int]

# A session is at work while an event of it is on its way, a turn is open, or an answer is still to be delivered. One
# snapshot sees them all, so that nothing slips from one place to the next unseen.
AT_WORK: Final = """
    s.session_id IN (SELECT partition_key FROM event_inbox WHERE state = 'ready')
    OR EXISTS (SELECT FROM turns t WHERE t.session_id = s.session_id AND t.status = 'ready' OFFSET 0)
    OR EXISTS (SELECT FROM turns t WHERE t.session_id = s.session_id AND t.status = 'queued' OFFSET 0)
    OR EXISTS (SELECT FROM delivery_logs d
        WHERE d.session_id = s.session_id AND d.status IN ('PENDING', 'RETRYING') OFFSET 0)
"""

_AT_WORK = f"SELECT session_id FROM request_sessions s WHERE session_id = ANY($1) AND ({AT_WORK})"  # noqa: S608  # a condition of our own

_LOCK = "SELECT session_id FROM request_sessions WHERE session_id = ANY($1) ORDER BY session_id FOR UPDATE"

_EVENTS = "DELETE FROM event_inbox WHERE partition_key = ANY($1)"
_BY_REQUEST: Final = {
    "turns": "DELETE FROM turns WHERE request_id = ANY($1)",
    "request_logs": "DELETE FROM request_logs WHERE request_id = ANY($1)",
}
_DELIVERIES: Final = {
    "delivery_attempts": """
        DELETE FROM delivery_attempts WHERE delivery_id = ANY(ARRAY(
            SELECT delivery_id FROM delivery_logs WHERE request_id = ANY($1)))
    """,
    "delivery_logs": "DELETE FROM delivery_logs WHERE request_id = ANY($1)",
}
_BY_SESSION: Final = {
    "handoffs": "DELETE FROM handoffs WHERE session_id = ANY($1)",
    "approvals": "DELETE FROM approvals WHERE session_id = ANY($1)",
    "tool_calls": "DELETE FROM tool_calls WHERE session_id = ANY($1)",
    "conversations": "DELETE FROM conversations WHERE session_id = ANY($1)",
    "model_usage_of_sessions": "DELETE FROM model_usage_of_sessions WHERE session_id = ANY($1)",
    "event_parking": "DELETE FROM event_parking WHERE partition_key = ANY($1)",
    "request_sessions": "DELETE FROM request_sessions WHERE session_id = ANY($1)",
}

_COUNT = """
    WITH requests AS MATERIALIZED (SELECT request_id FROM request_logs WHERE session_id = ANY($1))
    SELECT (SELECT count(*) FROM requests) AS request_logs,
        (SELECT count(*) FROM turns WHERE request_id = ANY(ARRAY(SELECT request_id FROM requests))) AS turns,
        (SELECT count(*) FROM delivery_logs WHERE request_id = ANY(ARRAY(SELECT request_id FROM requests)))
            AS delivery_logs,
        (SELECT count(*) FROM delivery_attempts WHERE delivery_id = ANY(ARRAY(SELECT delivery_id FROM delivery_logs
            WHERE request_id = ANY(ARRAY(SELECT request_id FROM requests))))) AS delivery_attempts,
        (SELECT count(*) FROM handoffs WHERE session_id = ANY($1)) AS handoffs,
        (SELECT count(*) FROM approvals WHERE session_id = ANY($1)) AS approvals,
        (SELECT count(*) FROM tool_calls WHERE session_id = ANY($1)) AS tool_calls,
        (SELECT count(*) FROM conversations WHERE session_id = ANY($1)) AS conversations,
        (SELECT count(*) FROM model_usage_of_sessions WHERE session_id = ANY($1)) AS model_usage_of_sessions,
        (SELECT count(*) FROM event_inbox WHERE partition_key = ANY($1)) AS event_inbox,
        cardinality($1::text[]) AS request_sessions
"""


async def lock(connection: PooledConnection, session_ids: Sequence[str]) -> list[str]:
    """Keep new requests out of these sessions until the transaction ends; returns those that exist."""
    return [row["session_id"] for row in await connection.fetch(_LOCK, session_ids)]


async def at_work(connection: PooledConnection, session_ids: Sequence[str]) -> set[str]:
    """Return the sessions with something still to be done."""
    return {row["session_id"] for row in await connection.fetch(_AT_WORK, session_ids)}


async def purge(connection: PooledConnection, session_ids: Sequence[str]) -> Counts:
    """Delete locked sessions and all that belongs to them; tells how many rows of each table that were.

    The order is that in which requests travel: each statement waits for whoever carries one on from there at this
    moment, and the next one finds what came of it.
    """
    counts = {"event_inbox": await _delete(connection, _EVENTS, session_ids)}
    rows = await connection.fetch("SELECT request_id FROM request_logs WHERE session_id = ANY($1)", session_ids)
    request_ids = [row["request_id"] for row in rows]
    counts |= {table: await _delete(connection, each, request_ids) for table, each in _BY_REQUEST.items()}
    counts["event_inbox"] += await _delete(connection, _EVENTS, session_ids)
    counts |= {table: await _delete(connection, each, request_ids) for table, each in _DELIVERIES.items()}
    return counts | {table: await _delete(connection, each, session_ids) for table, each in _BY_SESSION.items()}


async def count(connection: PooledConnection, session_ids: Sequence[str]) -> Counts:
    """Return what `purge` would delete."""
    row = await connection.fetchrow(_COUNT, session_ids)
    return dict(row) if row is not None else {}


def added(counts: Counts, more: Counts) -> Counts:
    return {table: counts.get(table, 0) + more.get(table, 0) for table in {**counts, **more}}


async def _delete(connection: PooledConnection, statement: str, ids: Sequence[str]) -> int:
    return int((await connection.execute(statement, ids)).rpartition(" ")[2])
