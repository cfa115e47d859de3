"""Makes people, their sessions, and what belongs to those; a test names only what matters to it."""

from datetime import timedelta
from typing import Any

import orjson

from self_service_agent.kit.database import Pool
from self_service_agent.kit.ids import new_id
from self_service_agent.request_manager.requests.repository import NewRequest, StoredRequest, accept
from self_service_agent.shared_models.users import find_or_add

LIFETIME = timedelta(hours=2)
TABLES = (
    "request_sessions", "request_logs", "turns", "conversations", "tool_calls", "delivery_logs", "delivery_attempts",
    "event_inbox",
)  # fmt: skip


async def a_person(pool: Pool, login: str = "alice", *, email: bool = True) -> str:
    """Return the id of a stored person."""
    return (await find_or_add(pool, login=login, email=f"{login}@company.com" if email else None)).user_id


def a_request(user_id: str, *, scope: str = "user", session: str | None = None, **changes: Any) -> NewRequest:
    request_id = new_id()
    values = {
        "request_id": request_id,
        "user_id": user_id,
        "scope": f"session:{session}" if session else scope,
        "wanted_session": session,
        "new_session_id": new_id(),
        "integration_type": "WEB",
        "request_type": "message",
        "content": "hello",
        "normalized": orjson.dumps({"request_id": request_id, "user_id": user_id, "integration_context": {}}).decode(),
        "idempotency_key": None,
        "fingerprint": None,
        "reply_to": None,
        "delivery": '{"mode": "reply", "channels": []}',
        "channel_id": None,
        "thread_id": None,
        "promised": True,
    }
    return NewRequest(**{**values, **changes})


async def ask(pool: Pool, user_id: str, **how: Any) -> StoredRequest:
    """Have a request accepted, and return where it went."""
    (stored,) = await accept(pool, [a_request(user_id, **how)], lifetime=LIFETIME)
    assert isinstance(stored, StoredRequest), stored
    return stored


async def a_conversation(pool: Pool, user_id: str, *, status: str | None = "ACTIVE", **how: Any) -> str:
    """Return a session with one request that was answered, acted on and delivered, and nothing more to do."""
    stored = await ask(pool, user_id, **how)
    session, request = stored.session_id, stored.request_id
    await pool.execute("DELETE FROM event_inbox WHERE partition_key = $1", session)
    await pool.execute(
        "UPDATE request_logs SET status = 'completed', response_content = 'echo', response_metadata = '{\"a\": 1}',"
        " agent_id = 'echo', completed_at = now() WHERE request_id = $1",
        request,
    )
    await a_turn(pool, session, request, user_id=user_id, status="done")
    await pool.execute("INSERT INTO conversations (session_id, checkpoint) VALUES ($1, '{}')", session)
    await pool.execute(
        "INSERT INTO tool_calls (key, session_id, request_id, user_id, tool, arguments, state, result)"
        " VALUES ($1, $2, $1, $3, 'order', '{}', 'confirmed', '{\"number\": \"REQ1\"}')",
        request, session, user_id,
    )  # fmt: skip
    delivery = await a_delivery(pool, session, request, user_id=user_id, status="DELIVERED")
    await pool.execute(
        "INSERT INTO delivery_attempts (delivery_id, attempt, started_at, outcome) VALUES ($1, 1, now(), 'delivered')",
        delivery,
    )
    await pool.execute(
        "UPDATE request_sessions SET status = $2, current_agent_id = 'echo' WHERE session_id = $1", session, status
    )
    return session


async def a_turn(pool: Pool, session: str, request: str, *, user_id: str, status: str, **changes: Any) -> None:
    await pool.execute(
        "INSERT INTO turns (request_id, session_id, user_id, sequence, request, status, finished_at, lease_until)"
        " VALUES ($1, $2, $3, 1, '{\"content\": \"hello\"}', $4::text, CASE WHEN $4::text = 'done' THEN now() END, $5)",
        request, session, user_id, status, changes.get("lease_until"),
    )  # fmt: skip


async def a_delivery(pool: Pool, session: str, request: str, *, user_id: str, status: str) -> str:
    delivery = new_id()
    await pool.execute(
        "INSERT INTO delivery_logs (delivery_id, request_id, session_id, user_id, integration_type, priority, status,"
        " content, max_attempts, retry_delay_seconds, next_attempt_at)"
        " VALUES ($1, $2, $3, $4, 'TEST', 1, $5, 'echo', 3, 60, now())",
        delivery, request, session, user_id, status,
    )  # fmt: skip
    return delivery


async def age(pool: Pool, session: str, days: float) -> None:
    """Make a session so many days old."""
    await pool.execute(
        "UPDATE request_sessions SET created_at = now() - $2::interval, updated_at = now() - $2::interval"
        " WHERE session_id = $1",
        session, timedelta(days=days),
    )  # fmt: skip


async def expire(pool: Pool, session: str) -> None:
    await pool.execute(
        "UPDATE request_sessions SET expires_at = now() - interval '1 second' WHERE session_id = $1", session
    )


async def counted(pool: Pool, *tables: str) -> dict[str, int]:
    """Return how many rows there are in these tables, or in all that hold conversations."""
    return {table: await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables or TABLES}  # noqa: S608


async def status_of(pool: Pool, session: str) -> str | None:
    return await pool.fetchval("SELECT status FROM request_sessions WHERE session_id = $1", session)
