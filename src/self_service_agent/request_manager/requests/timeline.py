"""How far a request is and what happened to it when, by one statement."""

import asyncpg
import orjson

from self_service_agent.kit.database import Pool

from .schemas import RequestProgress

# The turn says whether an agent has begun, the deliveries where the answer went; no second write is spent on either.
_STATE = """
    SELECT l.request_id, l.session_id, l.user_id, l.agent_id, l.processing_time_ms, l.created_at, l.completed_at,
        t.started_at, d.deliveries, coalesce(l.response_metadata -> 'cancelled' = 'true', false) AS cancelled,
        CASE WHEN l.status = 'pending' AND t.started_at IS NOT NULL THEN 'processing' ELSE l.status END AS status
    FROM request_logs l
    LEFT JOIN LATERAL (SELECT started_at FROM turns WHERE request_id = l.request_id LIMIT 1) t ON true
    LEFT JOIN LATERAL (
        SELECT json_agg(json_build_object('integration_type', integration_type, 'status', status,
            'attempts', replayed_attempts + attempts, 'planned_at', created_at, 'last_attempt_at', last_attempt_at,
            'next_attempt_at', CASE WHEN status IN ('PENDING', 'RETRYING') THEN next_attempt_at END,
            'delivered_at', delivered_at, 'reason', error_message) ORDER BY id) AS deliveries
        FROM delivery_logs WHERE request_id = l.request_id
    ) d ON true
    WHERE l.request_id = $1
"""


async def state_of(pool: Pool, request_id: str) -> asyncpg.Record | None:
    """Return the row that `shown` shows, if there is such a request."""
    return None if "\x00" in request_id else await pool.fetchrow(_STATE, request_id)


def shown(row: asyncpg.Record) -> RequestProgress:
    """Return the state with its timeline; what has not happened yet has no time."""
    timeline = {
        "accepted": row["created_at"],
        "started": row["started_at"],
        "answered": row["completed_at"],
        "delivered": orjson.loads(row["deliveries"] or "[]"),
    }
    return RequestProgress.model_validate({**row, "timeline": timeline})
