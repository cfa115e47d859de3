"""Which agents are published, and which of a person's earlier requests a question belongs to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from self_service_agent.kit.database import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedAgent:
    """An agent that can be asked, as its current definition describes it."""

    agent_id: str
    name: str
    summary: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A request that was made before, and whether its session still takes requests."""

    request_id: str
    session_id: str
    is_open: bool


_PUBLISHED = """
    SELECT agent_id, body::json ->> 'name' AS name, body::json ->> 'summary' AS summary, created_at
    FROM agent_definitions WHERE published_at IS NOT NULL ORDER BY agent_id LIMIT 1000
"""

_PUBLISHED_ONE = """
    SELECT agent_id, body::json ->> 'name' AS name, body::json ->> 'summary' AS summary, created_at
    FROM agent_definitions WHERE published_at IS NOT NULL AND agent_id = $1 LIMIT 1
"""

_BY_ID = """
    SELECT l.request_id, l.session_id, s.status = 'ACTIVE' AND s.expires_at > now() AS is_open
    FROM (SELECT request_id, session_id FROM request_logs WHERE request_id = $1 AND user_id = $2 LIMIT 1) l
    CROSS JOIN LATERAL (SELECT status, expires_at FROM request_sessions WHERE session_id = l.session_id LIMIT 1) s
"""

# Both look among a person's last requests, so that a long history of somebody costs no more than a short one.
_BY_WORDS = """
    SELECT l.request_id, l.session_id, s.status = 'ACTIVE' AND s.expires_at > now() AS is_open
    FROM (
        SELECT request_id, session_id FROM (
            SELECT * FROM request_logs WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 500
        ) recent
        WHERE request_type = 'chat' AND normalized_request ->> 'target_agent_id' = $2
            AND btrim(request_content) = $3 AND btrim(response_content) = $4
        ORDER BY created_at DESC, id DESC LIMIT 1
    ) l
    CROSS JOIN LATERAL (SELECT status, expires_at FROM request_sessions WHERE session_id = l.session_id LIMIT 1) s
"""

_BY_FINGERPRINT = """
    SELECT request_id, session_id, true AS is_open FROM (
        SELECT * FROM request_logs WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 500
    ) recent
    WHERE request_type = 'chat' AND fingerprint = $2 AND created_at > now() - $3::interval
    ORDER BY created_at DESC, id DESC LIMIT 1
"""


async def published(pool: Pool) -> list[PublishedAgent]:
    """Return the agents that can be asked, by their ids."""
    return [_agent(row) for row in await pool.fetch(_PUBLISHED)]


async def published_agent(pool: Pool, agent_id: str) -> PublishedAgent | None:
    """Return one agent, if it can be asked."""
    row = await pool.fetchrow(_PUBLISHED_ONE, agent_id)
    return None if row is None else _agent(row)


async def by_id(pool: Pool, request_id: str, *, user_id: str) -> Earlier | None:
    """Return a person's own request."""
    return _earlier(await pool.fetchrow(_BY_ID, request_id, user_id))


async def by_words(pool: Pool, *, user_id: str, agent_id: str, question: str, answer: str) -> Earlier | None:
    """Return a person's last request to an agent with this question and this answer."""
    return _earlier(await pool.fetchrow(_BY_WORDS, user_id, agent_id, question, answer))


async def by_fingerprint(pool: Pool, fingerprint: str, *, user_id: str, within: timedelta) -> Earlier | None:
    """Return a person's last request that was the same to the letter, if it was not made too long ago."""
    return _earlier(await pool.fetchrow(_BY_FINGERPRINT, user_id, fingerprint, within))


def _agent(row: asyncpg.Record) -> PublishedAgent:
    return PublishedAgent(
        agent_id=row["agent_id"], name=row["name"], summary=row["summary"], created_at=row["created_at"]
    )


def _earlier(row: asyncpg.Record | None) -> Earlier | None:
    if row is None:
        return None
    return Earlier(request_id=row["request_id"], session_id=row["session_id"], is_open=row["is_open"])
