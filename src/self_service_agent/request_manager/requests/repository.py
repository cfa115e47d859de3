"""How accepted requests are stored: a whole group of them, with sessions and events, by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import asyncpg

from self_service_agent.eventing.store import INSERT_EVENTS
from self_service_agent.kit.database import Executor, Pool
from self_service_agent.shared_models import events, sessions


class NewRequest(NamedTuple):
    """A request ready to be stored; `normalized` is its common form in JSON, without the session it will belong to.

    `promised`: the caller is told that it is accepted before it is answered, so that it must be on disk by then. A
    caller that waits hears nothing before the answer is on disk, and the request with it.
    """

    # A tuple, because many of them are turned into the columns of a statement by a single zip.

    request_id: str
    user_id: str
    scope: str
    wanted_session: str | None
    new_session_id: str
    integration_type: str
    request_type: str
    content: str
    normalized: str
    idempotency_key: str | None
    fingerprint: str | None
    reply_to: str | None
    delivery: str
    channel_id: str | None
    thread_id: str | None
    promised: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """Where a request was stored. `repeated`: an earlier request with the same Idempotency-Key, not a new one."""

    request_id: str
    session_id: str
    repeated: bool


class SessionUnavailable(Exception):
    """The session that the caller named is not theirs, unknown, or has ended."""


class IdempotencyKeyReused(Exception):
    """The Idempotency-Key was used before, for a different request."""


class PersonChanged(Exception):
    """The caller was erased, or made one with another person, a moment ago; they are known anew at the next try."""


class UnstorableRequest(Exception):
    """The request holds something that PostgreSQL does not take."""


_COLUMNS = NewRequest._fields[:-1]  # all but `promised`
_ARRAYS = ", ".join(
    f"${position}::{'jsonb' if column in {'normalized', 'delivery'} else 'text'}[]"
    for position, column in enumerate(_COLUMNS, start=1)
)

_ACCEPT = """
    WITH input AS (
        SELECT * FROM unnest({arrays}) WITH ORDINALITY AS t ({columns}, place)
    ), known AS (
        SELECT i.place, l.* FROM input i CROSS JOIN LATERAL (
            SELECT request_id, session_id, fingerprint FROM request_logs
            WHERE user_id = i.user_id AND idempotency_key = i.idempotency_key LIMIT 1
        ) l WHERE i.idempotency_key IS NOT NULL
    ), fresh AS (
        SELECT i.*, row_number() OVER (PARTITION BY i.user_id, i.scope ORDER BY i.place) AS step
        FROM input i WHERE NOT EXISTS (SELECT FROM known k WHERE k.place = i.place)
    ), groups AS (
        SELECT user_id, scope, count(*) AS requests, min(wanted_session) AS wanted_session,
            min(new_session_id) AS new_session_id, min(integration_type) AS integration_type,
            min(channel_id) AS channel_id, min(thread_id) AS thread_id, max(request_id) AS last_request_id,
            $16::interval AS lifetime
        FROM fresh GROUP BY user_id, scope
    ), {sessions}, logged AS (
        INSERT INTO request_logs (request_id, session_id, user_id, sequence, integration_type, request_type,
            request_content, normalized_request, cloudevent_id, cloudevent_type, idempotency_key, fingerprint, reply_to,
            delivery)
        SELECT f.request_id, s.session_id, f.user_id, s.total_requests - g.requests + f.step, f.integration_type,
            f.request_type, f.content, f.normalized || jsonb_build_object('session_id', s.session_id),
            f.request_id, '{type}', f.idempotency_key, f.fingerprint, f.reply_to, f.delivery
        FROM fresh f JOIN groups g USING (user_id, scope) JOIN sessions s USING (user_id, scope) ORDER BY f.place
        RETURNING request_id, session_id, user_id, sequence, normalized_request
    ), published AS ({events})
    SELECT coalesce(k.request_id, l.request_id) AS request_id, coalesce(k.session_id, l.session_id) AS session_id,
        k.request_id IS NOT NULL AS repeated, k.fingerprint
    FROM input i LEFT JOIN known k USING (place) LEFT JOIN logged l ON l.request_id = i.request_id ORDER BY i.place
"""

_EVENT_ROWS = """
    SELECT c.consumer, 'request-manager', l.request_id, '{type}', 'request/' || l.request_id, l.session_id,
        jsonb_build_object('sequence', l.sequence, 'requestid', l.request_id, 'sessionid', l.session_id,
            'userid', l.user_id, 'partitionkey', l.session_id,
            'traceparent', l.normalized_request #>> '{{integration_context,traceparent}}'),
        now(), l.normalized_request, false
    FROM logged l CROSS JOIN unnest($17::text[]) AS c (consumer) ORDER BY l.sequence
"""


def _statement(find_session: str) -> str:
    return _ACCEPT.format(
        arrays=_ARRAYS,
        columns=", ".join(_COLUMNS),
        sessions=find_session,
        type=events.REQUEST_CREATED,
        events=INSERT_EVENTS.format(rows=_EVENT_ROWS.format(type=events.REQUEST_CREATED)),
    )


_FIND_OR_OPEN = _statement(sessions.FIND_OR_OPEN)
_CONTINUE = _statement(sessions.CONTINUE)


async def accept(pool: Pool, requests: Sequence[NewRequest], *, lifetime: timedelta) -> list[StoredRequest | Exception]:
    """Store requests in the order given and return where each went, or why it did not."""
    groups = _split(requests)
    if len(groups) == 1:
        return await _accept(pool, *groups[0], lifetime=lifetime)
    results: dict[str, StoredRequest | Exception] = {}
    async with pool.acquire() as connection, connection.transaction():
        for statement, group in groups:
            stored = await _accept(connection, statement, group, lifetime=lifetime)
            results |= zip([request.request_id for request in group], stored, strict=True)
    return [results[request.request_id] for request in requests]


def _split(requests: Sequence[NewRequest]) -> list[tuple[str, list[NewRequest]]]:
    """Part requests by how their session is found: one statement must not touch a session row in both ways."""
    implicit = [request for request in requests if request.wanted_session is None]
    explicit = [request for request in requests if request.wanted_session is not None]
    return [(statement, group) for statement, group in ((_FIND_OR_OPEN, implicit), (_CONTINUE, explicit)) if group]


async def _accept(
    connection: Executor, statement: str, requests: Sequence[NewRequest], *, lifetime: timedelta
) -> list[StoredRequest | Exception]:
    columns = list(zip(*requests, strict=True))[: len(_COLUMNS)]
    consumers = list(events.SUBSCRIPTIONS[events.REQUEST_CREATED])
    rows = await connection.fetch(statement, *columns, lifetime, consumers)
    return [_outcome(request, row) for request, row in zip(requests, rows, strict=True)]


def _outcome(request: NewRequest, row: asyncpg.Record) -> StoredRequest | Exception:
    if row["request_id"] is None:
        return SessionUnavailable("There is no such session, or it has ended.")
    if row["repeated"] and row["fingerprint"] != request.fingerprint:
        return IdempotencyKeyReused("This Idempotency-Key was used before, for a different request.")
    return StoredRequest(request_id=row["request_id"], session_id=row["session_id"], repeated=row["repeated"])


_ONE = """
    SELECT l.request_id, l.session_id, l.user_id, l.integration_type, l.request_type, l.request_content, l.agent_id,
        l.response_content, l.response_metadata, l.processing_time_ms, l.created_at, l.completed_at,
        -- The turn says whether an agent has begun; no second write is spent on it.
        CASE WHEN l.status = 'pending' AND t.started_at IS NOT NULL THEN 'processing' ELSE l.status END AS status,
        t.started_at
    FROM request_logs l LEFT JOIN turns t USING (request_id) WHERE l.request_id = $1
"""


async def find(pool: Pool, request_id: str) -> asyncpg.Record | None:
    return await pool.fetchrow(_ONE, request_id)
