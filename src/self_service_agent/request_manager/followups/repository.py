"""How a follow-up is stored in its session, once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import orjson

from self_service_agent.eventing.store import INSERT_EVENTS
from self_service_agent.kit.database import PooledConnection
from self_service_agent.shared_models import events

_EARLIER = """
    SELECT l.integration_type, l.normalized_request, l.delivery, s.user_id
    FROM request_logs l CROSS JOIN LATERAL (
        SELECT user_id FROM request_sessions WHERE session_id = l.session_id LIMIT 1
    ) s WHERE l.request_id = $1 AND l.session_id || '' = $2
"""

_EVENT_ROW = """
    SELECT c.consumer, '{source}', l.request_id, '{type}', 'request/' || l.request_id, l.session_id,
        jsonb_build_object('sequence', l.sequence, 'requestid', l.request_id, 'sessionid', l.session_id,
            'userid', l.user_id, 'partitionkey', l.session_id,
            'traceparent', l.normalized_request #>> '{{integration_context,traceparent}}'),
        now(), l.normalized_request, false
    FROM logged l CROSS JOIN unnest($7::text[]) AS c (consumer)
"""

# A session that has ended takes it too: whoever asked is told what became of it.
_STATEMENT = """
    WITH session AS (
        UPDATE request_sessions SET total_requests = total_requests + 1, last_request_id = $1, last_request_at = now(),
            updated_at = now(), expires_at = CASE WHEN status = 'ACTIVE' AND expires_at > now()
                THEN greatest(expires_at, now() + $6::interval) ELSE expires_at END
        WHERE session_id = $2 AND NOT EXISTS (SELECT FROM request_logs WHERE request_id = $1 OFFSET 0)
        RETURNING session_id, user_id, total_requests
    ), logged AS (
        INSERT INTO request_logs (request_id, session_id, user_id, sequence, integration_type, request_type,
            request_content, normalized_request, cloudevent_id, cloudevent_type, delivery)
        SELECT $1, session_id, user_id, total_requests, $3, $4::jsonb ->> 'request_type', $4::jsonb ->> 'content',
            $4::jsonb, $1, '{type}', $5::jsonb
        FROM session
        RETURNING request_id, session_id, user_id, sequence, normalized_request
    ), published AS ({events})
    SELECT request_id FROM logged
"""
_STORE = _STATEMENT.format(
    type=events.REQUEST_CREATED,
    events=INSERT_EVENTS.format(rows=_EVENT_ROW.format(source=events.REQUEST_MANAGER, type=events.REQUEST_CREATED)),
)


async def earlier(connection: PooledConnection, request_id: str, session_id: str) -> asyncpg.Record | None:
    """Return the request that is followed up, with the present owner of its session; None if it is erased."""
    return await connection.fetchrow(_EARLIER, request_id, session_id)


async def store(
    connection: PooledConnection,
    normalized: Mapping[str, Any],
    *,
    integration_type: str,
    delivery: str,
    lifetime: timedelta,
) -> None:
    """Store a follow-up as the next request of its session, and publish it; one that is known stays as it is."""
    await connection.execute(
        _STORE, normalized["request_id"], normalized["session_id"], integration_type,
        orjson.dumps(normalized).decode(), delivery, lifetime, events.SUBSCRIPTIONS[events.REQUEST_CREATED],
    )  # fmt: skip
