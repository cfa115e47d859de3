"""How answers are recorded with the requests they answer, and how waiting callers find and give up theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import asyncpg
import orjson

from self_service_agent.kit.database import Pool, PooledConnection, in_json
from self_service_agent.kit.notifications import PRESENCE
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import AgentResponse, DeliveryChoice, RequestStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A request that has just been answered, and who waited for it; its context is JSON."""

    request_id: str
    waited_for_by: str | None
    delivery: DeliveryChoice
    integration_type: IntegrationType
    integration_context: str


# The state is what decides: whoever still waits when it changes is the one who gets the answer.
_COMPLETE = """
    WITH input AS (
        SELECT * FROM json_to_recordset($1::json)
            AS t (request_id text, status text, agent_id text, content text, metadata jsonb, milliseconds integer)
    )
    UPDATE request_logs l SET status = i.status, agent_id = i.agent_id, response_content = i.content,
        response_metadata = i.metadata, processing_time_ms = i.milliseconds, completed_at = now(), updated_at = now()
    FROM input i
    WHERE l.request_id = ANY(ARRAY(SELECT request_id FROM input)) AND l.request_id = i.request_id
        AND l.status IN ('pending', 'processing')
    RETURNING l.request_id, l.reply_to, l.delivery, l.integration_type,
        l.normalized_request -> 'integration_context' AS context
"""

# A caller gives up (true) or has been answered in the meantime (false): one of the two, decided by the row.
_GIVE_UP = """
    UPDATE request_logs SET reply_to = CASE WHEN reply_to = $2 THEN NULL ELSE reply_to END, updated_at = now()
    WHERE request_id = $1 AND status IN ('pending', 'processing')
"""

_WAIT_AGAIN = """
    UPDATE request_logs l SET reply_to = $2, updated_at = now()
    FROM (SELECT request_id, reply_to FROM request_logs WHERE request_id = $1 FOR UPDATE) before
    WHERE l.request_id = before.request_id AND l.status IN ('pending', 'processing') RETURNING before.reply_to
"""

_READY = """
    SELECT request_id, session_id, user_id, agent_id, response_content AS content, response_metadata AS metadata,
        status, processing_time_ms, completed_at
    FROM request_logs WHERE request_id = ANY($1) AND status IN ('completed', 'failed')
"""

_MISSING = """
    SELECT request_id FROM unnest($1::text[]) AS wanted (request_id)
    WHERE request_id <> ALL(ARRAY(SELECT request_id || '' FROM request_logs WHERE request_id = ANY($1)))
"""

_RELEASE_ORPHANS = """
    UPDATE request_logs SET reply_to = NULL, updated_at = now()
    WHERE reply_to IS NOT NULL AND status IN ('pending', 'processing')
        AND created_at > now() - interval '2 hours' -- nobody waits longer than one
        AND hashtext(reply_to) NOT IN (
        SELECT CASE WHEN objid::bigint > 2147483647 THEN objid::bigint - 4294967296 ELSE objid::bigint END
        FROM pg_locks WHERE locktype = 'advisory' AND classid = $1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


async def complete(connection: PooledConnection, responses: Sequence[AgentResponse]) -> list[Completion]:
    """Record answers and return the requests that they completed; one that was answered before is left out."""
    answers = [
        {
            "request_id": response.request_id,
            "status": "failed" if response.response_type == "error" else "completed",
            "agent_id": response.agent_id,
            "content": response.content,
            "metadata": _metadata(response),
            "milliseconds": response.processing_time_ms,
        }
        for response in responses
    ]
    return [_completion(row) for row in await connection.fetch(_COMPLETE, in_json(answers))]


async def give_up(pool: Pool, request_id: str, *, replica: str | None) -> bool:
    """Stop waiting for a request; False means that it was answered first.

    `replica` is where nobody waits any more; None leaves the request to others who still do.
    """
    return await pool.execute(_GIVE_UP, request_id, replica) == "UPDATE 1"


async def wait_again(pool: Pool, request_id: str, replica: str) -> str | None:
    """Record that somebody waits for a request, unless it is answered; return which process waited for it before."""
    before = await pool.fetchval(_WAIT_AGAIN, request_id, replica)
    return None if before is None else str(before)


async def confirm(pool: Pool, request_id: str) -> RequestStatus:
    """Return how far a request is, once it is on disk: the first attempt at it may not have waited for that."""
    status = await pool.fetchval(
        "UPDATE request_logs SET updated_at = now() WHERE request_id = $1 RETURNING status", request_id
    )
    return RequestStatus(status)


async def ready(pool: Pool, request_ids: Sequence[str]) -> list[AgentResponse]:
    """Return the answers that are there."""
    return [response_of(row) for row in await pool.fetch(_READY, request_ids)]


async def missing(pool: Pool, request_ids: Sequence[str]) -> list[str]:
    """Return which of these requests are not stored."""
    return [row["request_id"] for row in await pool.fetch(_MISSING, request_ids)] if request_ids else []


async def release_orphans(pool: Pool) -> None:
    """Stop waiting on behalf of processes that are gone, so that their requests are answered on channels."""
    await pool.execute(_RELEASE_ORPHANS, PRESENCE)


def response_of(row: asyncpg.Record) -> AgentResponse:
    """Rebuild an answer from a finished request's row."""
    metadata = orjson.loads(row["metadata"])
    followup = metadata.pop("followup", {})
    return AgentResponse(
        request_id=row["request_id"],
        session_id=row["session_id"],
        user_id=row["user_id"],
        agent_id=row["agent_id"],
        content=row["content"],
        response_type="error" if row["status"] == "failed" else "message",
        metadata=metadata,
        processing_time_ms=row["processing_time_ms"],
        created_at=row["completed_at"],
        requires_followup=bool(followup),
        followup_actions=followup.get("actions", []),
    )


def _metadata(response: AgentResponse) -> dict[str, object]:
    followup = {"followup": {"actions": response.followup_actions}} if response.requires_followup else {}
    return response.metadata | followup


@lru_cache(maxsize=256)
def _delivery_choice(text: str) -> DeliveryChoice:
    return DeliveryChoice.model_validate_json(text)


def _completion(row: asyncpg.Record) -> Completion:
    return Completion(
        request_id=row["request_id"],
        waited_for_by=row["reply_to"],
        delivery=_delivery_choice(row["delivery"]),
        integration_type=IntegrationType(row["integration_type"]),
        integration_context=row["context"],
    )
