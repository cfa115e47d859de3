"""Queries about deliveries that people and administrators look at, and the one that stores new ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import orjson

from self_service_agent.kit.database import Pool, PooledConnection
from self_service_agent.shared_models.deliveries import DeliveryStatus
from self_service_agent.shared_models.integrations import IntegrationType

from .planning import PlannedDelivery

_ADD = """
    INSERT INTO delivery_logs (delivery_id, request_id, session_id, user_id, integration_type, priority, status,
        agent_id, subject, content, integration_metadata, max_attempts, retry_delay_seconds, error_message, expires_at,
        next_attempt_at)
    SELECT delivery_id, request_id, session_id, user_id, integration_type, priority, status, agent_id, subject, content,
        integration_metadata, max_attempts, retry_delay_seconds, error_message, expires_at,
        CASE status WHEN 'PENDING' THEN now() END
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::jsonb[], $12::int[], $13::int[], $14::text[], $15::timestamptz[])
        WITH ORDINALITY AS planned (delivery_id, request_id, session_id, user_id, integration_type, priority, status,
            agent_id, subject, content, integration_metadata, max_attempts, retry_delay_seconds, error_message,
            expires_at, position)
    ORDER BY position
    ON CONFLICT (delivery_id) DO NOTHING
"""
_OF_USER = "SELECT * FROM delivery_logs WHERE user_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3"
_MATCHING = """
    SELECT * FROM delivery_logs
    WHERE ($1::text[] IS NULL OR status = ANY($1)) AND ($2::text IS NULL OR integration_type = $2)
        AND ($3::text IS NULL OR user_id = $3)
    ORDER BY id DESC LIMIT $4 OFFSET $5
"""
_GIVEN_UP = """
    SELECT * FROM delivery_logs WHERE status IN ('DEAD_LETTERED', 'FAILED', 'UNKNOWN')
    ORDER BY id DESC LIMIT $1 OFFSET $2
"""
_ONE = "SELECT * FROM delivery_logs WHERE delivery_id = $1"
_ATTEMPTS = "SELECT * FROM delivery_attempts WHERE delivery_id = $1 ORDER BY attempt"
_REPLAY = """
    UPDATE delivery_logs SET status = 'PENDING', replayed_attempts = replayed_attempts + attempts, attempts = 0,
        max_attempts = $2, retry_delay_seconds = $3, expires_at = now() + $4::interval, next_attempt_at = now(),
        lease_token = NULL, lease_until = NULL, error_message = NULL, updated_at = now()
    WHERE delivery_id = $1 AND status IN ('DEAD_LETTERED', 'FAILED', 'UNKNOWN', 'SKIPPED')
    RETURNING *
"""


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which deliveries are looked for; None does not matter."""

    status: DeliveryStatus | None = None
    integration_type: IntegrationType | None = None
    user_id: str | None = None


async def add(connection: PooledConnection, planned: Sequence[PlannedDelivery]) -> None:
    """Store deliveries; one that is known stays as it is."""
    if planned:
        await connection.execute(_ADD, *map(list, zip(*map(_columns, planned), strict=True)))


async def of_user(pool: Pool, user_id: str, *, limit: int, offset: int) -> list[asyncpg.Record]:
    return await pool.fetch(_OF_USER, user_id, limit, offset)


async def matching(pool: Pool, search: Search, *, limit: int, offset: int) -> list[asyncpg.Record]:
    statuses = None if search.status is None else [search.status]
    return await pool.fetch(_MATCHING, statuses, search.integration_type, search.user_id, limit, offset)


async def given_up(pool: Pool, *, limit: int, offset: int) -> list[asyncpg.Record]:
    return await pool.fetch(_GIVEN_UP, limit, offset)


async def one(pool: Pool, delivery_id: str) -> asyncpg.Record | None:
    return await pool.fetchrow(_ONE, delivery_id)


async def attempts_of(pool: Pool, delivery_id: str) -> list[asyncpg.Record]:
    return await pool.fetch(_ATTEMPTS, delivery_id)


async def replay(
    pool: Pool, delivery_id: str, *, max_attempts: int, retry_delay_seconds: int, expiry: timedelta
) -> asyncpg.Record | None:
    """Open a delivery that was given up or skipped again; returns None for any other."""
    return await pool.fetchrow(_REPLAY, delivery_id, max_attempts, retry_delay_seconds, expiry)


def _columns(planned: PlannedDelivery) -> tuple[object, ...]:
    """Return the values of a row; `astuple` would copy the answer's metadata deeply."""
    return tuple(
        orjson.dumps(value).decode() if name == "integration_metadata" else value
        for name, value in vars(planned).items()
    )
