"""How turns are queued, claimed under a lease, and completed with everything that follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import orjson

from self_service_agent.eventing.bus import Event
from self_service_agent.eventing.store import INSERT_EVENTS
from self_service_agent.kit.database import Executor, Pool, PooledConnection, in_json
from self_service_agent.shared_models import events
from self_service_agent.shared_models.events import RequestCreated
from self_service_agent.shared_models.requests import NormalizedRequest

from .aftermath import Aftermath, Consequences


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedTurn:
    """A turn that is ours until `lease_until`; whoever completes it must still hold `lease_token`.

    `taken_over`: the attempt before was cut off, so that nobody knows how far it came.
    """

    request: NormalizedRequest
    lease_token: str
    attempt: int
    taken_over: bool
    checkpoint: dict[str, Any] | None
    pinned_digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTurn:
    """Everything a turn leaves behind, written in one transaction. `response` is the event's data in JSON.

    Without a `checkpoint` the conversation stays as it was.
    """

    request_id: str
    session_id: str
    lease_token: str
    failed: bool
    agent_id: str | None
    definition_digest: str | None
    checkpoint: str | None
    pinned_digest: str | None
    closes_session: bool
    response: str
    aftermath: Aftermath | None = None


class LeaseLost(Exception):
    """Another worker took the turn over; what this one found out is void."""


_ENQUEUE = """
    WITH input AS (
        SELECT * FROM json_to_recordset($1::json)
            AS t (request_id text, session_id text, user_id text, sequence bigint, request json)
    ), placed AS (
        SELECT i.*, row_number() OVER (PARTITION BY i.session_id ORDER BY i.sequence) = 1 AND NOT EXISTS (
            SELECT FROM turns o WHERE o.session_id = i.session_id AND o.status = 'ready'
            UNION ALL
            SELECT FROM turns o WHERE o.session_id = i.session_id AND o.status = 'queued') AS is_ready
        FROM input i
    ), queued AS (
        INSERT INTO turns (request_id, session_id, user_id, sequence, request, status, attempts, lease_token,
            lease_until, started_at)
        SELECT request_id, session_id, user_id, sequence, request, CASE WHEN is_ready THEN 'ready' ELSE 'queued' END,
            CASE WHEN is_taken THEN 1 ELSE 0 END, CASE WHEN is_taken THEN $2 END,
            CASE WHEN is_taken THEN now() + $3::interval END, CASE WHEN is_taken THEN now() END
        FROM placed CROSS JOIN LATERAL (SELECT is_ready AND $2::text IS NOT NULL AS is_taken) t
        ORDER BY session_id, sequence
        ON CONFLICT (request_id) DO NOTHING
        RETURNING request_id, session_id, status, lease_token
    )
    SELECT q.request_id, q.session_id, q.status, q.lease_token IS NOT NULL AS is_taken, v.checkpoint, v.pinned_digest
    FROM queued q LEFT JOIN LATERAL (
        SELECT * FROM conversations WHERE session_id = q.session_id AND q.lease_token IS NOT NULL LIMIT 1
    ) v ON true
"""

# Runs by itself after the commit that queued a turn or finished one: of the two, the later sees both.
_PROMOTE = """
    UPDATE turns SET status = 'ready'
    WHERE status || '' = 'queued' AND request_id = ANY(ARRAY(
        SELECT n.request_id FROM unnest($1::text[]) AS s (session_id)
        CROSS JOIN LATERAL (
            SELECT request_id FROM turns WHERE session_id = s.session_id AND status = 'queued' ORDER BY sequence LIMIT 1
        ) n
        WHERE NOT EXISTS (SELECT FROM turns WHERE session_id = s.session_id AND status = 'ready' OFFSET 0)))
"""

_STRAYS = """
    SELECT DISTINCT q.session_id FROM turns q WHERE q.status = 'queued' AND NOT EXISTS (
        SELECT FROM turns o WHERE o.session_id = q.session_id AND o.status = 'ready')
"""

_CLAIM = """
    WITH heads AS (
        SELECT request_id, lease_token IS NOT NULL AS taken_over FROM turns
        WHERE finished_at IS NULL AND status <> 'queued' AND not_before <= now()
            AND (lease_until IS NULL OR lease_until <= now())
        ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE turns t SET attempts = t.attempts + 1, lease_token = $2,
            lease_until = now() + $3::interval, started_at = coalesce(t.started_at, now())
        FROM heads h
        WHERE t.request_id = ANY(ARRAY(SELECT request_id FROM heads)) AND t.request_id = h.request_id
        RETURNING t.session_id, t.request, t.attempts, t.created_at, h.taken_over
    )
    SELECT c.request, c.attempts, c.taken_over, v.checkpoint, v.pinned_digest
    FROM claimed c LEFT JOIN LATERAL (
        SELECT * FROM conversations WHERE session_id = c.session_id LIMIT 1
    ) v ON true ORDER BY c.created_at
"""

_FINISH = """
    WITH input AS (
        SELECT * FROM json_to_recordset($1::json)
            AS t (request_id text, session_id text, lease_token text, failed boolean, agent_id text,
                definition_digest text, checkpoint json, pinned_digest text, closes_session boolean, response json)
    ), finished AS (
        UPDATE turns t SET status = CASE WHEN i.failed THEN 'failed' ELSE 'done' END, finished_at = now(),
            agent_id = i.agent_id, definition_digest = i.definition_digest, lease_token = NULL, lease_until = NULL
        FROM input i
        WHERE t.request_id = ANY(ARRAY(SELECT request_id FROM input)) AND t.request_id = i.request_id
            AND t.lease_token = i.lease_token
        RETURNING i.*, t.user_id, t.sequence, t.request #>> '{{integration_context,traceparent}}' AS traceparent
    ), remembered AS (
        INSERT INTO conversations (session_id, checkpoint, pinned_digest)
        SELECT session_id, checkpoint, pinned_digest FROM finished WHERE checkpoint IS NOT NULL ORDER BY session_id
        ON CONFLICT (session_id) DO UPDATE SET checkpoint = EXCLUDED.checkpoint,
            pinned_digest = EXCLUDED.pinned_digest, updated_at = now()
    ), session AS (
        UPDATE request_sessions s SET current_agent_id = f.agent_id, updated_at = now(),
            status = CASE WHEN f.closes_session THEN 'INACTIVE' ELSE s.status END
        FROM finished f WHERE s.session_id = ANY(ARRAY(SELECT session_id FROM finished)) AND s.session_id = f.session_id
            AND (f.closes_session OR s.current_agent_id IS DISTINCT FROM f.agent_id)
    ), published AS ({events})
    SELECT f.request_id, EXISTS (SELECT FROM turns n WHERE n.session_id = f.session_id AND n.status = 'queued') AS more
    FROM finished f
"""

_EVENT_ROWS = """
    SELECT c.consumer, '{source}', 'agent-response:' || f.request_id, '{type}',
        'request/' || f.request_id, f.session_id, json_strip_nulls(json_build_object('requestid', f.request_id,
            'sessionid', f.session_id, 'userid', f.user_id, 'agentid', f.agent_id, 'partitionkey', f.session_id,
            'sequence', f.sequence, 'traceparent', f.traceparent)),
        now(), f.response, false
    FROM finished f CROSS JOIN unnest($2::text[]) AS c (consumer)
"""

_FINISH_AND_PUBLISH = _FINISH.format(
    events=INSERT_EVENTS.format(rows=_EVENT_ROWS.format(source=events.AGENT_SERVICE, type=events.RESPONSE_READY))
)

_PUT_BACK = """
    UPDATE turns SET lease_token = NULL, lease_until = NULL, not_before = now() + $3::interval,
        error = coalesce($4, error), attempts = attempts - $5
    WHERE request_id = $1 AND lease_token = $2
"""

_NEXT = """
    UPDATE request_sessions SET total_requests = total_requests + 1, last_request_id = $3, last_request_at = now(),
        updated_at = now()
    WHERE session_id = $1 AND user_id = $2 AND status = 'ACTIVE' AND expires_at > now()
    RETURNING total_requests
"""

_RENEW = """
    UPDATE turns SET lease_until = now() + $3::interval
    WHERE request_id = ANY($1) AND lease_token = ANY($2) RETURNING request_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """What became of new turns: those that are ours already, and the sessions that need `promote` after the commit."""

    taken: list[ClaimedTurn]
    behind: set[str]


async def enqueue(
    connection: PooledConnection, created: Sequence[Event[RequestCreated]], *, lease_token: str | None, lease: timedelta
) -> Queued:
    """Queue each request at its place in its session; one that is known already stays as it is.

    With a `lease_token`, turns that are first in their session are taken in the same breath.
    """
    turns = [
        {
            "request_id": event.data.request_id,
            "session_id": event.data.session_id,
            "user_id": event.data.user_id,
            "sequence": event.sequence or 0,
            "request": orjson.Fragment(event.text),
        }
        for event in created
    ]
    rows = await connection.fetch(_ENQUEUE, in_json(turns), lease_token, lease)
    requests = {event.data.request_id: event.data for event in created}
    return Queued(
        taken=[
            ClaimedTurn(
                request=requests[row["request_id"]],
                lease_token=lease_token or "",
                attempt=1,
                taken_over=False,
                checkpoint=orjson.loads(row["checkpoint"]) if row["checkpoint"] else None,
                pinned_digest=row["pinned_digest"],
            )
            for row in rows
            if row["is_taken"]
        ],
        behind={row["session_id"] for row in rows if row["status"] == "queued"},
    )


async def promote(pool: Pool, session_ids: Sequence[str]) -> None:
    """Make the next queued turn ready in each of these sessions that has none at hand."""
    await pool.execute(_PROMOTE, session_ids)


async def strays(pool: Pool) -> list[str]:
    """Return the sessions that need `promote` because somebody died before doing it."""
    return [row["session_id"] for row in await pool.fetch(_STRAYS)]


async def next_lease_end(pool: Pool) -> timedelta | None:
    """Return how long the first lease to end still has; None if no turn is being taken."""
    wait: timedelta | None = await pool.fetchval(
        "SELECT greatest(min(lease_until) - now(), interval '0') FROM turns"
        " WHERE finished_at IS NULL AND status <> 'queued' AND lease_until IS NOT NULL"
    )
    return wait


async def claim(pool: Pool, *, limit: int, lease_token: str, lease: timedelta) -> list[ClaimedTurn]:
    """Take up to `limit` turns, at most one of each session, oldest first."""
    rows = await pool.fetch(_CLAIM, limit, lease_token, lease)
    return [_claimed(row, lease_token) for row in rows]


async def finish(pool: Pool, turns: Sequence[FinishedTurn], *, consequences: Consequences) -> list[bool | Exception]:
    """Record turns and publish their answers; for each, whether its session has more to do, or `LeaseLost`."""
    if not any(turn.aftermath for turn in turns):
        return await _finish(pool, turns)
    async with pool.acquire() as connection, connection.transaction():
        outcomes = await _finish(connection, turns)
        done = [turn for turn, outcome in zip(turns, outcomes, strict=True) if isinstance(outcome, bool)]
        await consequences.record(connection, [turn.aftermath for turn in done if turn.aftermath])
        return outcomes


async def _finish(connection: Executor, turns: Sequence[FinishedTurn]) -> list[bool | Exception]:
    consumers = events.SUBSCRIPTIONS[events.RESPONSE_READY]
    rows = await connection.fetch(_FINISH_AND_PUBLISH, in_json([_row(turn) for turn in turns]), consumers)
    more: Mapping[str, bool] = {row["request_id"]: row["more"] for row in rows}
    return [more[turn.request_id] if turn.request_id in more else LeaseLost(turn.request_id) for turn in turns]


async def put_back(pool: Pool, turn: ClaimedTurn, *, wait: timedelta, error: str | None) -> None:
    """Queue a turn again; without an error the attempt does not count."""
    await pool.execute(_PUT_BACK, turn.request.request_id, turn.lease_token, wait, error, 0 if error is not None else 1)


async def renew(pool: Pool, turns: Sequence[ClaimedTurn], *, lease: timedelta) -> set[str]:
    """Extend the leases and return the requests whose lease is still ours."""
    rows = await pool.fetch(
        _RENEW, [turn.request.request_id for turn in turns], list({turn.lease_token for turn in turns}), lease
    )
    return {row["request_id"] for row in rows}


async def is_published(pool: Pool, agent_id: str) -> bool:
    """Tell whether there is an agent of this name."""
    found = "SELECT true FROM agent_definitions WHERE agent_id = $1 AND published_at IS NOT NULL LIMIT 1"
    return await pool.fetchval(found, agent_id) is not None


async def is_known(connection: PooledConnection, request_id: str) -> bool:
    """Tell whether there is a turn for a request."""
    return await connection.fetchval("SELECT true FROM turns WHERE request_id = $1", request_id) is not None


async def confirm(pool: Pool, request_id: str) -> str:
    """Return how far a turn is, once that is on disk: what takes it does not wait for that."""
    told = "UPDATE turns SET request_id = request_id WHERE request_id = $1 RETURNING status"
    return str(await pool.fetchval(told, request_id))


async def next_sequence(connection: PooledConnection, session_id: str, *, user_id: str, request_id: str) -> int | None:
    """Give a request the next place in a person's session that is open, or return None if there is no such one."""
    sequence: int | None = await connection.fetchval(_NEXT, session_id, user_id, request_id)
    return sequence


def _row(turn: FinishedTurn) -> dict[str, object]:
    return {
        "request_id": turn.request_id,
        "session_id": turn.session_id,
        "lease_token": turn.lease_token,
        "failed": turn.failed,
        "agent_id": turn.agent_id,
        "definition_digest": turn.definition_digest,
        "checkpoint": None if turn.checkpoint is None else orjson.Fragment(turn.checkpoint),
        "pinned_digest": turn.pinned_digest,
        "closes_session": turn.closes_session,
        "response": orjson.Fragment(turn.response),
    }


def _claimed(row: asyncpg.Record, lease_token: str) -> ClaimedTurn:
    return ClaimedTurn(
        request=NormalizedRequest.model_validate_json(row["request"]),
        lease_token=lease_token,
        attempt=row["attempts"],
        taken_over=row["taken_over"],
        checkpoint=orjson.loads(row["checkpoint"]) if row["checkpoint"] else None,
        pinned_digest=row["pinned_digest"],
    )
