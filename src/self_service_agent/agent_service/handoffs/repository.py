"""How hand-offs are kept, and who does what with them."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import orjson

from self_service_agent.kit.database import Executor, Pool, PooledConnection

from .rules import Act, NewHandoff

_STORE = """
    INSERT INTO handoffs (handoff_id, session_id, request_id, user_id, agent_id, queue, reason, packet)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
"""

_TAKEN_BACK = """
    UPDATE handoffs SET state = 'returned', ended_at = now() WHERE session_id = $1 AND ended_at IS NULL
"""

_IS_GOING_ON = """
    (SELECT s.status = 'ACTIVE' AND s.expires_at > now() FROM request_sessions s WHERE s.session_id = h.session_id)
"""

_CLAIM = f"""
    UPDATE handoffs h SET state = 'claimed', owner = $2, claimed_at = now()
    WHERE h.handoff_id = $1 AND h.ended_at IS NULL AND h.owner IS NULL AND {_IS_GOING_ON} RETURNING h.handoff_id
"""  # noqa: S608  # a condition of our own

_HELD = f"""
    SELECT * FROM handoffs h
    WHERE h.handoff_id = $1 AND h.ended_at IS NULL AND h.owner || '' = $2 AND {_IS_GOING_ON} FOR UPDATE
"""  # noqa: S608  # a condition of our own

_ACT = """
    INSERT INTO handoff_acts (request_id, handoff_id, kind, author, author_name, content)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (request_id) DO NOTHING RETURNING request_id
"""

_END = "UPDATE handoffs SET state = $2, ended_at = now() WHERE handoff_id = $1 AND ended_at IS NULL"

_SHOWN = f"""
    SELECT h.handoff_id, h.session_id, h.request_id, h.user_id, h.agent_id, h.queue, h.reason, h.packet, h.owner,
        h.created_at, h.claimed_at, h.ended_at, coalesce(r.primary_email, r.login, h.user_id) AS person,
        coalesce(o.primary_email, o.login, h.owner) AS owner_name,
        CASE WHEN h.ended_at IS NULL AND NOT coalesce({_IS_GOING_ON}, false) THEN 'closed' ELSE h.state END AS state
    FROM {{found}} h
        LEFT JOIN LATERAL (SELECT * FROM users WHERE user_id = h.user_id LIMIT 1) r ON true
        LEFT JOIN LATERAL (SELECT * FROM users WHERE user_id = h.owner LIMIT 1) o ON true
"""  # noqa: S608  # a condition of our own

_ONE = _SHOWN.format(found="(SELECT * FROM handoffs WHERE handoff_id = $1 LIMIT 1)")
# The second condition is always true: only the query that repeats it uses the index that is made for it.
_AT_HAND = """(
    SELECT * FROM handoffs WHERE ended_at IS NULL AND handoff_id <> '' ORDER BY created_at, handoff_id LIMIT $1
)"""
_WAITING = f"""
    {_SHOWN.format(found=_AT_HAND)}
    WHERE {_IS_GOING_ON} ORDER BY h.created_at, h.handoff_id
"""  # conditions of our own

_TRANSCRIPT = """
    SELECT * FROM (
        SELECT request_id, sequence, request_type, request_content AS said, response_content AS answered, agent_id,
            response_metadata -> 'mode' AS mode, response_metadata -> 'citations' AS citations, created_at
        FROM request_logs WHERE session_id = $1 ORDER BY sequence DESC LIMIT $2
    ) newest ORDER BY sequence
"""

_TOOL_RESULTS = """
    SELECT tool, arguments, state, result, created_at FROM tool_calls WHERE session_id = $1 ORDER BY created_at LIMIT 50
"""


async def store(connection: PooledConnection, new: NewHandoff, *, queue: str) -> None:
    """Store a hand-off with what its conversation was so far; a session that is in somebody's hands stays there."""
    packet = {
        **new.packet,
        "transcript": await transcript(connection, new.session_id, limit=50),
        "tool_results": await _tool_results(connection, new.session_id),
    }
    await connection.execute(
        _STORE, new.handoff_id, new.session_id, new.request_id, new.user_id, new.agent_id, queue, new.reason,
        orjson.dumps(packet, default=str).decode(),
    )  # fmt: skip


async def taken_back(connection: PooledConnection, session_id: str) -> None:
    """Note that the person went back to the agent."""
    await connection.execute(_TAKEN_BACK, session_id)


async def find(pool: Executor, handoff_id: str) -> asyncpg.Record | None:
    return None if "\x00" in handoff_id else await pool.fetchrow(_ONE, handoff_id)


async def waiting(pool: Pool, *, limit: int) -> list[asyncpg.Record]:
    """Return what is in nobody's or somebody's hands now, oldest first."""
    return await pool.fetch(_WAITING, limit)


async def claim(connection: PooledConnection, handoff_id: str, owner: str) -> bool:
    """Take a hand-off; False if somebody has it, or it has ended."""
    return await connection.fetchval(_CLAIM, handoff_id, owner) is not None


async def held(connection: PooledConnection, handoff_id: str, owner: str) -> asyncpg.Record | None:
    """Return a hand-off that is in `owner`'s hands, and keep it there until the transaction ends."""
    return await connection.fetchrow(_HELD, handoff_id, owner)


async def act(connection: PooledConnection, handoff_id: str, done: Act) -> bool:
    """Note what its owner does; False if that is known already."""
    stored = await connection.fetchval(
        _ACT, done.request_id, handoff_id, done.kind, done.author, done.author_name, done.content
    )
    return stored is not None


async def end(connection: PooledConnection, handoff_id: str, state: str) -> None:
    await connection.execute(_END, handoff_id, state)


async def act_of(pool: Executor, request_id: str) -> asyncpg.Record | None:
    """Return what the request with this id tells."""
    return await pool.fetchrow("SELECT * FROM handoff_acts WHERE request_id = $1", request_id)


async def transcript(pool: Executor, session_id: str, *, limit: int) -> list[dict[str, Any]]:
    """Return the newest messages of a session with their answers, in order."""
    return [_plain(row) for row in await pool.fetch(_TRANSCRIPT, session_id, limit)]


async def _tool_results(connection: PooledConnection, session_id: str) -> Sequence[Mapping[str, Any]]:
    return [_plain(row) for row in await connection.fetch(_TOOL_RESULTS, session_id)]


def _plain(row: asyncpg.Record) -> dict[str, Any]:
    documents = {"mode", "citations", "arguments", "result"}
    return {
        name: orjson.loads(value) if name in documents and value is not None else value for name, value in row.items()
    }
