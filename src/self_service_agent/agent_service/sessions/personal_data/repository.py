"""Queries about everything that is stored about one person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from self_service_agent.agent_service.sessions.purge import Counts, added, lock, purge
from self_service_agent.agent_service.sessions.repository import COLUMNS
from self_service_agent.kit.database import Executor, Pool, PooledConnection

_LOCK_PERSON = "SELECT user_id FROM users WHERE user_id = $1 FOR UPDATE"

_ALL_IDS = """
    SELECT $1::text AS user_id UNION ALL SELECT alias FROM user_aliases WHERE user_id = $1 AND kind = 'id'
"""

_SESSIONS = "SELECT session_id FROM request_sessions WHERE user_id = $1"

_BEING_ANSWERED = """
    SELECT t.request_id FROM turns t
    WHERE t.session_id = ANY(ARRAY(SELECT session_id FROM request_sessions WHERE user_id = $1))
        AND t.status = 'ready' AND t.lease_until > now()
"""

_UNANSWERED = "SELECT count(*) FROM request_logs WHERE user_id = $1 AND status IN ('pending', 'processing')"

_DONE_OUTSIDE = """
    SELECT tool, created_at, result FROM tool_calls
    WHERE session_id = ANY(ARRAY(SELECT session_id FROM request_sessions WHERE user_id = $1)) AND state = 'confirmed'
    ORDER BY created_at
"""

# What hangs on the person and not on a session; answers that were planned under a former id are theirs as well.
_OF_PERSON: Final = {
    "delivery_logs": "DELETE FROM delivery_logs WHERE user_id = ANY($1)",
    "user_integration_configs": "DELETE FROM user_integration_configs WHERE user_id = ANY($1)",
    "user_integration_mappings": "DELETE FROM user_integration_mappings WHERE user_id = ANY($1)",
    "api_keys": "DELETE FROM api_keys WHERE user_id = ANY($1)",
    "knowledge_readers": "DELETE FROM knowledge_readers WHERE user_id = ANY($1)",
    "user_aliases": "DELETE FROM user_aliases WHERE user_id = ANY($1)",
    "users": "DELETE FROM users WHERE user_id = ANY($1)",
}

# What they decided stays decided: whose yes or no it was is in the audit log. What only they could decide is left to
# administrators.
_AS_APPROVER: Final = (
    "UPDATE approvals SET decided_by = NULL, comment = NULL WHERE decided_by = ANY($1)",
    """
    UPDATE handoffs SET owner = NULL, state = CASE state WHEN 'claimed' THEN 'open' ELSE state END
    WHERE owner = ANY($1)
    """,
    "UPDATE handoff_acts SET author = 'erased', author_name = 'the help desk' WHERE author = ANY($1)",
    """
    UPDATE approvals SET approvers = CASE state WHEN 'pending' THEN 'role:admin' ELSE 'person:erased' END
    WHERE approvers = ANY(ARRAY(
        SELECT 'person:' || form FROM users u CROSS JOIN LATERAL unnest(ARRAY[u.user_id, u.login, u.primary_email]) form
        WHERE u.user_id = ANY($1) AND form IS NOT NULL
        UNION SELECT 'person:' || alias FROM user_aliases WHERE user_id = ANY($1)))
    """,
)

_PERSON = "SELECT user_id, login, primary_email, created_at, updated_at FROM users WHERE user_id = $1"
_LISTS: Final = {
    "aliases": "SELECT kind, alias, created_at FROM user_aliases WHERE user_id = $1 ORDER BY created_at",
    "channel_identities": """
        SELECT integration_type, integration_user_id, user_email, last_validated_at, created_at
        FROM user_integration_mappings WHERE user_id = $1 ORDER BY id
    """,
    "integration_configs": """
        SELECT integration_type, enabled, priority, retry_count, retry_delay_seconds, config, created_at, updated_at
        FROM user_integration_configs WHERE user_id = $1 ORDER BY id
    """,
    "approvals_decided": """
        SELECT approval_id, action, state, comment, decided_at, channel FROM approvals
        WHERE decided_by = $1 AND user_id || '' <> $1 ORDER BY decided_at
    """,
    "knowledge_groups": "SELECT groups, regions, updated_at FROM knowledge_readers WHERE user_id = $1",
    "handoff_acts": """
        SELECT handoff_id, kind, content, created_at FROM handoff_acts WHERE author = $1 ORDER BY created_at
    """,
    "api_keys": """
        SELECT key_id, name, hint, roles, scopes, created_at, expires_at, last_used_at, revoked_at
        FROM api_keys WHERE user_id = $1 ORDER BY key_id
    """,
}

_NEXT_SESSION = f"""
    SELECT {COLUMNS} FROM request_sessions WHERE user_id = $1 AND session_id > $2 ORDER BY session_id LIMIT 1
"""  # noqa: S608  # the columns are our own


async def being_answered(pool: Pool, user_id: str) -> bool:
    """Tell whether an agent is at work for the person at this moment."""
    return await pool.fetchrow(_BEING_ANSWERED, user_id) is not None


async def done_outside(connection: PooledConnection, user_id: str) -> list[tuple[str, datetime, str | None]]:
    """Return what tools did in other systems for the person, with the answers that tell how it is called there."""
    return [(row["tool"], row["created_at"], row["result"]) for row in await connection.fetch(_DONE_OUTSIDE, user_id)]


async def unanswered(connection: PooledConnection, user_id: str) -> int:
    return int(await connection.fetchval(_UNANSWERED, user_id))


async def lock_all(connection: PooledConnection, user_id: str) -> list[str]:
    """Keep every new request of the person out until the transaction ends; returns their sessions."""
    await connection.fetchrow(_LOCK_PERSON, user_id)
    return await lock(connection, [row["session_id"] for row in await connection.fetch(_SESSIONS, user_id)])


async def delete_all(connection: PooledConnection, user_id: str, session_ids: Sequence[str]) -> Counts:
    """Delete the person and everything of theirs; tells how many rows of each table that were."""
    user_ids = [row["user_id"] for row in await connection.fetch(_ALL_IDS, user_id)]
    counts = await purge(connection, session_ids)
    for statement in _AS_APPROVER:
        await connection.execute(statement, user_ids)
    for table, statement in _OF_PERSON.items():
        status = await connection.execute(statement, user_ids)
        counts = added(counts, {table: int(status.rpartition(" ")[2])})
    return counts


async def person(pool: Executor, user_id: str) -> asyncpg.Record | None:
    return await pool.fetchrow(_PERSON, user_id)


async def lists(pool: Pool, user_id: str) -> dict[str, list[asyncpg.Record]]:
    """Return what is stored about a person beside their sessions."""
    return {name: await pool.fetch(statement, user_id) for name, statement in _LISTS.items()}


async def session_after(pool: Pool, user_id: str, session_id: str) -> asyncpg.Record | None:
    """Return the person's next session, in the order of their ids."""
    return await pool.fetchrow(_NEXT_SESSION, user_id, session_id)
