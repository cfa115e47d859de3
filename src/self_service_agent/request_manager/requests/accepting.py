"""Storing accepted requests in the usual case, by one short statement for a whole group of them.

Usual are requests whose session is the open one of its scope, or a new one, and whose Idempotency-Keys are new. What
turns out not to be usual is left to the statements of `repository`.
"""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import orjson

from self_service_agent.eventing.store import INSERT_EVENTS
from self_service_agent.kit.database import Pool, in_json
from self_service_agent.shared_models import events, sessions

from .repository import NewRequest, StoredRequest

_REQUEST_ROWS = """
    INSERT INTO request_logs (request_id, session_id, user_id, sequence, integration_type, request_type,
        request_content, normalized_request, cloudevent_id, cloudevent_type, idempotency_key, fingerprint, reply_to,
        delivery)
    SELECT i.request_id, s.session_id, i.user_id, s.total_requests - i.behind, i.integration_type, i.request_type,
        i.content, ('{{"session_id":"' || s.session_id || '",' || substr(i.normalized, 2))::json, i.request_id,
        '{type}', i.idempotency_key, i.fingerprint, i.reply_to, i.delivery
    FROM json_to_recordset($3::json)
        AS i (place integer, request_id text, user_id text, scope text, behind integer, integration_type text,
            request_type text, content text, normalized text, idempotency_key text, fingerprint text, reply_to text,
            delivery jsonb)
    JOIN sessions s ON s.user_id = i.user_id AND s.scope = i.scope
    ORDER BY i.place
    RETURNING request_id, session_id, user_id, sequence, normalized_request
"""

_EVENT_ROWS = """
    SELECT c.consumer, 'request-manager', l.request_id, '{type}', 'request/' || l.request_id, l.session_id,
        json_build_object('sequence', l.sequence, 'requestid', l.request_id, 'sessionid', l.session_id,
            'userid', l.user_id, 'partitionkey', l.session_id,
            'traceparent', l.normalized_request #>> '{{integration_context,traceparent}}'),
        now(), l.normalized_request, false
    FROM logged l CROSS JOIN unnest($4::text[]) AS c (consumer) ORDER BY l.sequence
"""

_STATEMENT = """
    WITH {sessions}, logged AS ({requests}), published AS ({events}) SELECT request_id, session_id FROM logged
"""
_ACCEPT = _STATEMENT.format(
    sessions=sessions.USE_OR_OPEN,
    requests=_REQUEST_ROWS.format(type=events.REQUEST_CREATED),
    events=INSERT_EVENTS.format(rows=_EVENT_ROWS.format(type=events.REQUEST_CREATED)),
)


async def accept(pool: Pool, requests: Sequence[NewRequest], *, lifetime: timedelta) -> dict[str, StoredRequest]:
    """Store the requests that are usual, in the order given, and return where each of them went."""
    groups, rows = _grouped(requests)
    consumers = events.SUBSCRIPTIONS[events.REQUEST_CREATED]
    try:
        stored = await pool.fetch(_ACCEPT, in_json(groups), lifetime, in_json(rows), consumers)
    except asyncpg.UniqueViolationError:  # an Idempotency-Key that is known already
        return {}
    return {
        row["request_id"]: StoredRequest(request_id=row["request_id"], session_id=row["session_id"], repeated=False)
        for row in stored
    }


def _grouped(requests: Sequence[NewRequest]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return the rows of `sessions.USE_OR_OPEN`, in an order that is the same everywhere, and those of the requests.

    `behind` is how many requests of the same session come after one.
    """
    groups: dict[tuple[str, str], dict[str, object]] = {}
    counts: dict[tuple[str, str], int] = {}
    rows = []
    for place, request in reversed(list(enumerate(requests))):
        key = (request.user_id, request.scope)
        behind = counts.get(key, 0)
        if behind == 0:
            groups[key] = _session_row(request)
        counts[key] = behind + 1
        rows.append(_request_row(place, request, behind))
    return [groups[key] | {"requests": counts[key]} for key in sorted(groups)], rows


def _session_row(request: NewRequest) -> dict[str, object]:
    return {
        "user_id": request.user_id,
        "scope": request.scope,
        "session_id": request.new_session_id,
        "integration_type": request.integration_type,
        "channel_id": request.channel_id,
        "thread_id": request.thread_id,
        "last_request_id": request.request_id,
    }


def _request_row(place: int, request: NewRequest, behind: int) -> dict[str, object]:
    return {
        "place": place,
        "request_id": request.request_id,
        "user_id": request.user_id,
        "scope": request.scope,
        "behind": behind,
        "integration_type": request.integration_type,
        "request_type": request.request_type,
        "content": request.content,
        "normalized": orjson.Fragment(request.normalized),
        "idempotency_key": request.idempotency_key,
        "fingerprint": request.fingerprint,
        "reply_to": request.reply_to,
        "delivery": orjson.Fragment(request.delivery),
    }
