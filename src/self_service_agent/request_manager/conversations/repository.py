"""Queries about conversations: sessions, and the messages in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from self_service_agent.kit.database import Pool
from self_service_agent.shared_models.integrations import IntegrationType

SEEN_LIMIT: Final = 2_000
_MESSAGES_SEEN: Final = 100  # of each session, newest first, when a type or an agent is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which conversations are looked for; None does not matter. `before` bounds the ids that are looked at."""

    before: str
    user_id: str | None = None
    session_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    integration_types: Sequence[IntegrationType] | None = None
    agent_id: str | None = None


# However few match, no search looks at more sessions than SEEN_LIMIT, nor at more messages of each than _MESSAGES_SEEN.
_SEEN: Final = {
    "session": "SELECT * FROM request_sessions WHERE session_id = $3 AND ($2::text IS NULL OR user_id = $2)"
    " AND $1::text IS NOT NULL LIMIT 1",
    "user": f"SELECT * FROM request_sessions WHERE user_id = $2 AND session_id < $1 AND $3::text IS NULL"  # noqa: S608  # a number of our own
    f" ORDER BY session_id DESC LIMIT {SEEN_LIMIT}",
    "all": f"SELECT * FROM request_sessions WHERE session_id < $1 AND $2::text IS NULL AND $3::text IS NULL"  # noqa: S608  # a number of our own
    f" ORDER BY session_id DESC LIMIT {SEEN_LIMIT}",
}

_MESSAGES_OF = f"""
    (SELECT integration_type, agent_id FROM request_logs WHERE session_id = s.session_id
        ORDER BY sequence DESC LIMIT {_MESSAGES_SEEN}) m
"""  # noqa: S608  # a number of our own

_FIND = f"""
    WITH seen AS MATERIALIZED (
        SELECT session_id, user_id, integration_type, status, expires_at, created_at, last_request_at, total_requests,
            current_agent_id, thread_id
        FROM ({{seen}}) s
    ), found AS MATERIALIZED (
        SELECT * FROM seen s
        WHERE ($4::timestamptz IS NULL OR coalesce(last_request_at, created_at) >= $4)
            AND ($5::timestamptz IS NULL OR created_at <= $5)
            AND ($6::text[] IS NULL OR integration_type = ANY($6) OR EXISTS (
                SELECT FROM {_MESSAGES_OF} WHERE m.integration_type = ANY($6)))
            AND ($7::text IS NULL OR current_agent_id = $7 OR EXISTS (
                SELECT FROM {_MESSAGES_OF} WHERE m.agent_id = $7))
    )
    SELECT (SELECT count(*) FROM seen) AS seen, (SELECT count(*) FROM found) AS total, page.*, u.primary_email
    FROM (SELECT 1) always
        LEFT JOIN LATERAL (SELECT * FROM found ORDER BY session_id DESC LIMIT $8 OFFSET $9) page ON true
        LEFT JOIN LATERAL (SELECT primary_email FROM users WHERE user_id = page.user_id LIMIT 1) u ON true
    ORDER BY page.session_id DESC
"""  # noqa: S608  # conditions of our own

_MESSAGES = """
    SELECT l.* FROM unnest($1::text[]) AS wanted (session_id) CROSS JOIN LATERAL (
        SELECT request_id, session_id, sequence, integration_type, request_content, response_content, status, agent_id,
            normalized_request -> 'integration_context' ->> 'thread_id' AS thread_id, processing_time_ms, created_at,
            completed_at
        FROM request_logs WHERE session_id = wanted.session_id ORDER BY sequence DESC LIMIT $2
    ) l ORDER BY l.session_id, l.sequence
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The sessions of one page, how many there are in all, and whether all sessions were looked at."""

    sessions: Sequence[asyncpg.Record]
    total: int
    complete: bool


async def find(pool: Pool, search: Search, *, limit: int, offset: int) -> Found:
    """Return one page of the conversations that are looked for, newest first."""
    rows = await pool.fetch(
        _FIND.format(seen=_SEEN[_way(search)]), search.before, search.user_id, search.session_id, search.start,
        search.end, search.integration_types, search.agent_id, limit, offset,
    )  # fmt: skip
    return Found(
        sessions=[row for row in rows if row["session_id"] is not None],
        total=rows[0]["total"],
        complete=rows[0]["seen"] < SEEN_LIMIT,
    )


async def messages(pool: Pool, session_ids: Sequence[str], *, limit: int) -> dict[str, list[asyncpg.Record]]:
    """Return the newest messages of each of these sessions, oldest first."""
    grouped: dict[str, list[asyncpg.Record]] = {}
    for row in await pool.fetch(_MESSAGES, session_ids, limit):
        grouped.setdefault(row["session_id"], []).append(row)
    return grouped


def _way(search: Search) -> str:
    if search.session_id is not None:
        return "session"
    return "all" if search.user_id is None else "user"
