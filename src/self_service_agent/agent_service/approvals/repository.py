"""How approvals are kept: asked for with their turn, decided once, walked in pages."""

from collections.abc import Iterable, Sequence

import asyncpg

from self_service_agent.kit.database import Executor, Pool, PooledConnection

from .rules import ApprovalState, Decision, NewApproval, Position

_STORE = """
    INSERT INTO approvals (approval_id, session_id, request_id, user_id, agent_id, flow, flow_instance_id,
        definition_digest, action, arguments_digest, summary, approvers, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now() + $13::interval)
    ON CONFLICT (approval_id) DO NOTHING RETURNING expires_at
"""

_IS_OPEN = """
    (SELECT s.status = 'ACTIVE' AND s.expires_at > now() FROM request_sessions s WHERE s.session_id = a.session_id)
"""

# Whoever changes the row first has decided. The one who asks never does, whatever was checked before.
_DECIDE = f"""
    UPDATE approvals a SET state = $2, decided_by = $3, decided_at = now(), comment = $4, channel = $5
    WHERE a.approval_id = $1 AND a.state || '' = 'pending' AND a.expires_at > now() AND a.user_id <> $3 AND {_IS_OPEN}
    RETURNING a.*
"""  # noqa: S608  # a condition of our own

_CANCEL = f"""
    UPDATE approvals a SET state = 'cancelled', decided_by = $2, decided_at = now(), comment = $3, channel = $4
    WHERE a.approval_id = $1 AND a.state || '' = 'pending' AND a.expires_at > now() AND {_IS_OPEN}
    RETURNING a.*
"""  # noqa: S608  # a condition of our own

_WITHDRAW = """
    UPDATE approvals SET state = 'cancelled', decided_by = user_id, decided_at = now()
    WHERE approval_id = ANY($1) AND session_id || '' = $2 AND state || '' = 'pending' RETURNING *
"""

# What is past its time has expired, unless the conversation that waited for it has ended.
_END_DUE = f"""
    UPDATE approvals a SET state = CASE WHEN {_IS_OPEN} THEN 'expired' ELSE 'cancelled' END, decided_at = now()
    WHERE a.approval_id = ANY(ARRAY(
            SELECT approval_id FROM approvals WHERE state = 'pending' AND expires_at <= now()
            ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED))
    RETURNING a.*
"""  # noqa: S608  # a condition of our own

_END_ABANDONED = f"""
    UPDATE approvals a SET state = 'cancelled', decided_at = now()
    WHERE a.approval_id = ANY(ARRAY(
            SELECT a.approval_id FROM approvals a WHERE a.state = 'pending' AND NOT coalesce({_IS_OPEN}, false)
            ORDER BY a.expires_at LIMIT 100 FOR UPDATE SKIP LOCKED))
    RETURNING a.*
"""  # noqa: S608  # a condition of our own

# One whose time is over, or whose conversation has ended, is final even before anybody has noted it.
_SHOWN = f"""
    SELECT a.approval_id, a.session_id, a.request_id, a.user_id, a.agent_id, a.flow, a.definition_digest, a.action,
        a.arguments_digest, a.summary, a.approvers, a.expires_at, a.decided_by, a.decided_at, a.comment, a.channel,
        a.created_at, coalesce(r.primary_email, r.login, a.user_id) AS requester,
        coalesce(d.primary_email, d.login, a.decided_by) AS decider, o.is_open, a.state AS noted_state,
        CASE WHEN a.state <> 'pending' THEN a.state WHEN NOT coalesce(o.is_open, false) THEN 'cancelled'
            WHEN a.expires_at <= now() THEN 'expired' ELSE 'pending' END AS state
    FROM {{found}} a
        CROSS JOIN LATERAL (SELECT {_IS_OPEN} AS is_open OFFSET 0) o
        LEFT JOIN LATERAL (SELECT * FROM users WHERE user_id = a.user_id LIMIT 1) r ON true
        LEFT JOIN LATERAL (SELECT * FROM users WHERE user_id = a.decided_by LIMIT 1) d ON true
"""  # noqa: S608  # a condition of our own

_ONE = _SHOWN.format(found="(SELECT * FROM approvals WHERE approval_id = $1 LIMIT 1)")

_OF_APPROVERS = """(
    SELECT found.* FROM unnest($1::text[]) AS k (key) CROSS JOIN LATERAL (
        SELECT * FROM approvals a
        WHERE a.approvers = k.key AND (a.created_at, a.approval_id) < ($3, $4) AND {state} AND a.user_id <> $2
        ORDER BY a.created_at DESC, a.approval_id DESC LIMIT $5
    ) found ORDER BY created_at DESC, approval_id DESC LIMIT $5
)"""
_OF_USER = """(
    SELECT * FROM approvals a WHERE a.user_id = $2 AND (a.created_at, a.approval_id) < ($3, $4) AND {state}
        AND $1::text[] IS NOT NULL
    ORDER BY a.created_at DESC, a.approval_id DESC LIMIT $5
)"""
_IN_ORDER = " ORDER BY a.created_at DESC, a.approval_id DESC"


async def store(connection: PooledConnection, new: NewApproval) -> asyncpg.Record | None:
    """Store an approval and return when it expires; None if it is known, as from a turn that is repeated."""
    return await connection.fetchrow(
        _STORE, new.approval_id, new.session_id, new.request_id, new.user_id, new.agent_id, new.flow,
        new.flow_instance_id, new.definition_digest, new.action, new.arguments_digest, new.summary, new.approvers,
        new.lifetime,
    )  # fmt: skip


async def find(pool: Executor, approval_id: str) -> asyncpg.Record | None:
    return None if "\x00" in approval_id else await pool.fetchrow(_ONE, approval_id)


async def decide(
    connection: PooledConnection, approval_id: str, decision: Decision, *, by: str
) -> asyncpg.Record | None:
    """Decide, and return the approval; None if it is decided, expired, or its conversation has ended."""
    if decision.state is ApprovalState.CANCELLED:
        return await connection.fetchrow(_CANCEL, approval_id, by, decision.comment, decision.channel)
    return await connection.fetchrow(_DECIDE, approval_id, decision.state, by, decision.comment, decision.channel)


async def withdraw(
    connection: PooledConnection, approval_ids: Iterable[str], *, session_id: str
) -> list[asyncpg.Record]:
    """Cancel what a conversation waits for no more; what is decided stays decided."""
    return await connection.fetch(_WITHDRAW, list(approval_ids), session_id)


async def end_due(connection: PooledConnection) -> list[asyncpg.Record]:
    """Mark up to 100 approvals whose time is over, and return them."""
    return await connection.fetch(_END_DUE)


async def end_abandoned(connection: PooledConnection) -> list[asyncpg.Record]:
    """Cancel up to 100 approvals whose conversation has ended, and return them."""
    return await connection.fetch(_END_ABANDONED)


async def seconds_to_next(pool: Pool) -> float | None:
    """Return how long the next approval to expire still has."""
    seconds: float | None = await pool.fetchval(
        "SELECT extract(epoch FROM min(expires_at) - now())::float8 FROM approvals WHERE state = 'pending'"
    )
    return seconds


async def to_decide(
    pool: Pool, keys: Iterable[str], *, user_id: str, states: Sequence[str], after: Position, limit: int
) -> list[asyncpg.Record]:
    """Return approvals that whoever holds one of these keys may decide, but for their own; newest first."""
    return await _page(pool, _OF_APPROVERS, keys=list(keys), user_id=user_id, states=states, after=after, limit=limit)


async def requested_by(
    pool: Pool, user_id: str, *, states: Sequence[str], after: Position, limit: int
) -> list[asyncpg.Record]:
    """Return the approvals that somebody asked for, newest first."""
    return await _page(pool, _OF_USER, keys=[], user_id=user_id, states=states, after=after, limit=limit)


async def _page(  # noqa: PLR0913  # what a page is asked with
    pool: Pool, found: str, *, keys: list[str], user_id: str, states: Sequence[str], after: Position, limit: int
) -> list[asyncpg.Record]:
    # Said literally, so that an index holds what is pending and nothing else.
    state = "a.state = 'pending'" if list(states) == ["pending"] else "a.state || '' = ANY($6)"
    statement = _SHOWN.format(found=found.format(state=state)) + _IN_ORDER
    more = () if list(states) == ["pending"] else (list(states),)
    return await pool.fetch(statement, keys, user_id, after.created_at, after.approval_id, limit, *more)
