"""Queries about tokens: each session's, and each day's of a tenant."""

from datetime import date

from self_service_agent.kit.database import PooledConnection

from .port import Usage

_RESERVE_FOR_SESSION = """
    INSERT INTO model_usage_of_sessions AS m (session_id, tokens, calls)
    SELECT session_id, $2::bigint, 1 FROM request_sessions
    WHERE session_id = ANY(ARRAY[$1::text]) AND ($3::bigint = 0 OR $2::bigint <= $3::bigint)
    ON CONFLICT (session_id) DO UPDATE SET tokens = m.tokens + excluded.tokens, calls = m.calls + 1
    WHERE $3::bigint = 0 OR m.tokens + excluded.tokens <= $3::bigint
    RETURNING session_id
"""
_RESERVE_FOR_DAY = """
    INSERT INTO model_usage_of_days AS m (tenant, day, tokens, calls)
    SELECT $1, $2::date, $3::bigint, 1 WHERE $4::bigint = 0 OR $3::bigint <= $4::bigint
    ON CONFLICT (tenant, day) DO UPDATE SET tokens = m.tokens + excluded.tokens, calls = m.calls + 1
    WHERE $4::bigint = 0 OR m.tokens + excluded.tokens <= $4::bigint
    RETURNING tenant
"""
_SETTLE_SESSION = """
    UPDATE model_usage_of_sessions SET tokens = tokens + $2, input_tokens = input_tokens + $3,
        output_tokens = output_tokens + $4, estimated_calls = estimated_calls + $5
    WHERE session_id = ANY(ARRAY[$1::text])
"""
_SETTLE_DAY = """
    UPDATE model_usage_of_days SET tokens = tokens + $3, input_tokens = input_tokens + $4,
        output_tokens = output_tokens + $5, estimated_calls = estimated_calls + $6
    WHERE tenant = ANY(ARRAY[$1::text]) AND day = $2
"""


async def reserve_for_session(connection: PooledConnection, session_id: str, tokens: int, *, limit: int) -> bool:
    """Set tokens aside; tells whether they lie within the limit and the session is there."""
    return await connection.fetchrow(_RESERVE_FOR_SESSION, session_id, tokens, limit) is not None


async def reserve_for_day(connection: PooledConnection, tenant: str, day: date, *, tokens: int, limit: int) -> bool:
    """Set tokens aside; tells whether they lie within the limit."""
    return await connection.fetchrow(_RESERVE_FOR_DAY, tenant, day, tokens, limit) is not None


async def settle_session(connection: PooledConnection, session_id: str, used: Usage, *, reserved: int) -> None:
    await connection.execute(_SETTLE_SESSION, session_id, *_change(used, reserved))


async def settle_day(connection: PooledConnection, tenant: str, day: date, *, used: Usage, reserved: int) -> None:
    await connection.execute(_SETTLE_DAY, tenant, day, *_change(used, reserved))


def _change(used: Usage, reserved: int) -> tuple[int, int, int, int]:
    return used.total - reserved, used.input_tokens, used.output_tokens, int(used.estimated)
