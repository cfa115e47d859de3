"""Queries about sessions, and the statements that change one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import orjson

from self_service_agent.kit.database import Executor, Pool, PooledConnection
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.sessions import Origin, SessionStatus

from .rules import NewSession

LAST: Final = "z"  # comes after every session id
_SEEN_LIMIT: Final = 5_000

# An active session past its time is one that nobody has marked yet.
COLUMNS: Final = """
    session_id, user_id, name, scope, integration_type, channel_id, thread_id, external_session_id, current_agent_id,
    conversation_thread_id, integration_metadata, user_context, conversation_context, total_requests, last_request_id,
    last_request_at, expires_at, created_at, updated_at, version,
    CASE WHEN status = 'ACTIVE' AND expires_at <= now() THEN 'EXPIRED' ELSE status END AS status
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which sessions are looked for; None does not matter."""

    user_id: str | None = None
    status: SessionStatus | None = None
    integration_type: IntegrationType | None = None
    agent_id: str | None = None
    created_since: datetime | None = None
    created_until: datetime | None = None
    last_request_since: datetime | None = None
    last_request_until: datetime | None = None


# Ids are made in the order of time, so that newest first is their order. However few sessions match, no page looks at
# more of them than this: it ends early instead, and the next one goes on from there.
_OF_USER = f"SELECT * FROM request_sessions WHERE user_id = $2 AND session_id < $1 ORDER BY session_id DESC LIMIT {_SEEN_LIMIT}"  # noqa: S608, E501  # a number of our own
_OF_ALL = f"SELECT * FROM request_sessions WHERE session_id < $1 AND $2::text IS NULL ORDER BY session_id DESC LIMIT {_SEEN_LIMIT}"  # noqa: S608, E501  # a number of our own

_PAGE = """
    SELECT * FROM (SELECT {columns} FROM ({seen}) s) seen
    WHERE ($3::text IS NULL OR status = $3) AND ($4::text IS NULL OR integration_type = $4)
        AND ($5::text IS NULL OR current_agent_id = $5)
        AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7)
        AND ($8::timestamptz IS NULL OR last_request_at >= $8) AND ($9::timestamptz IS NULL OR last_request_at < $9)
    ORDER BY session_id DESC LIMIT $10
"""

_SEEN = "SELECT count(*) AS count, min(session_id) AS last FROM ({seen}) seen"

_ONE = f"SELECT {COLUMNS} FROM request_sessions WHERE session_id = $1"  # noqa: S608  # the columns are our own

_END_EXPIRED = """
    UPDATE request_sessions SET status = 'EXPIRED', updated_at = now()
    WHERE user_id = $1 AND scope = $2 AND status = 'ACTIVE' AND expires_at <= now()
"""

_OPEN = f"""
    INSERT INTO request_sessions (session_id, user_id, scope, name, integration_type, channel_id, thread_id,
        external_session_id, conversation_thread_id, integration_metadata, user_context, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $1, $9, $10, now() + $11::interval)
    ON CONFLICT (user_id, scope) WHERE status = 'ACTIVE' DO NOTHING
    RETURNING {COLUMNS}
"""  # noqa: S608  # the columns are our own

_ACTIVE_IN_SCOPE = """
    SELECT session_id FROM request_sessions WHERE user_id = $1 AND scope = $2 AND status = 'ACTIVE' LIMIT 1
"""

_CHANGE = f"""
    UPDATE request_sessions SET version = version + 1, updated_at = now(),
        name = CASE WHEN $3::boolean THEN $4 ELSE name END,
        integration_metadata = coalesce($5::jsonb, integration_metadata),
        user_context = coalesce($6::jsonb, user_context)
    WHERE session_id = $1 AND ($2::integer[] IS NULL OR version = ANY($2))
    RETURNING {COLUMNS}
"""  # noqa: S608  # the columns are our own

_CLOSE = """
    UPDATE request_sessions SET status = CASE WHEN expires_at <= now() THEN 'EXPIRED' ELSE 'INACTIVE' END,
        version = version + 1, updated_at = now()
    WHERE session_id = $1 AND status || '' = 'ACTIVE' -- not an index condition: the row is found by its id
"""

_RESUME = f"""
    UPDATE request_sessions SET status = 'ACTIVE', scope = $2, integration_type = $3, channel_id = $4, thread_id = $5,
        expires_at = now() + $6::interval, version = version + 1, updated_at = now()
    WHERE session_id = $1 AND status || '' = ANY(ARRAY['ACTIVE', 'INACTIVE']) AND expires_at > now()
    RETURNING {COLUMNS}
"""  # noqa: S608  # the columns are our own


async def find(pool: Executor, session_id: str) -> asyncpg.Record | None:
    return None if "\x00" in session_id else await pool.fetchrow(_ONE, session_id)


async def page(pool: Pool, search: Search, *, before: str, limit: int) -> tuple[list[asyncpg.Record], str | None]:
    """Return sessions newest first, and the id before which the next page begins, if there may be one."""
    seen = _OF_ALL if search.user_id is None else _OF_USER
    rows = await pool.fetch(
        _PAGE.format(columns=COLUMNS, seen=seen), before, search.user_id, search.status, search.integration_type,
        search.agent_id, search.created_since, search.created_until, search.last_request_since,
        search.last_request_until, limit + 1,
    )  # fmt: skip
    if len(rows) > limit:
        return rows[:limit], rows[limit - 1]["session_id"]
    looked_at = await pool.fetchrow(_SEEN.format(seen=seen), before, search.user_id)
    return rows, looked_at["last"] if looked_at and looked_at["count"] == _SEEN_LIMIT else None


async def end_expired(connection: PooledConnection, user_id: str, scope: str) -> None:
    """Mark the active session of this scope if its time is over, so that another one may take its place."""
    await connection.execute(_END_EXPIRED, user_id, scope)


async def open_one(
    connection: PooledConnection, new: NewSession, *, session_id: str, user_id: str, scope: str, lifetime: timedelta
) -> asyncpg.Record | None:
    """Store a session; None if its scope has an active one."""
    origin = new.origin
    return await connection.fetchrow(
        _OPEN, session_id, user_id, scope, origin.name, origin.integration_type, origin.channel_id, origin.thread_id,
        origin.ticket_id, _json(new.metadata), _json(new.user_context), lifetime,
    )  # fmt: skip


async def active_in_scope(connection: Executor, user_id: str, scope: str) -> str | None:
    session_id: str | None = await connection.fetchval(_ACTIVE_IN_SCOPE, user_id, scope)
    return session_id


async def change(
    pool: Pool, session_id: str, changes: Mapping[str, Any], *, versions: Sequence[int] | None
) -> asyncpg.Record | None:
    """Replace the named fields; None if the session is gone or has another version by now."""
    documents = [_json(changes[name]) if name in changes else None for name in ("metadata", "user_context")]
    return await pool.fetchrow(_CHANGE, session_id, versions, "name" in changes, changes.get("name"), *documents)


async def close(pool: Pool, session_id: str) -> None:
    """End a session; one that has ended stays as it is."""
    await pool.execute(_CLOSE, session_id)


async def resume(
    connection: PooledConnection, session_id: str, *, scope: str, origin: Origin, lifetime: timedelta
) -> asyncpg.Record | None:
    """Let a session go on from there; None if it may not. Raises `UniqueViolationError` if the scope is taken."""
    return await connection.fetchrow(
        _RESUME, session_id, scope, origin.integration_type, origin.channel_id, origin.thread_id, lifetime
    )


def _json(document: Mapping[str, Any]) -> str:
    return orjson.dumps(document).decode()
