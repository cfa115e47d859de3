"""Cancelling a request that no agent has begun; the row of its turn decides which of the two came first."""

from http import HTTPStatus

import asyncpg
import orjson
from fastapi import APIRouter, Request, Response

from self_service_agent.eventing.platform import platform_of
from self_service_agent.kit.database import Pool, finish
from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.results import repository as results
from self_service_agent.shared_models.requests import AgentResponse, RequestResult, RequestStatus

from .answers import answered
from .dependencies import doors_of
from .timeline import state_of
from .viewing import Visible

router = APIRouter()

_CONTENT = "This request was cancelled before an agent began to work on it. Nothing was done."
_METADATA = orjson.dumps({"cancelled": True, "engine": "none", "expects": "text"}).decode()

# A request that has no turn yet gets one that has ended, so that none is queued for it later. Whoever claims a turn
# notes in the same statement that it has started: whoever comes second to the row finds what the first has left.
_WITHDRAW = """
    WITH withdrawn AS (
        INSERT INTO turns (request_id, session_id, user_id, sequence, request, status, error, finished_at)
        SELECT request_id, session_id, user_id, sequence, normalized_request, 'failed', 'cancelled', now()
        FROM request_logs WHERE request_id = $1 AND status IN ('pending', 'processing')
        ON CONFLICT (request_id) DO UPDATE SET status = 'failed', error = 'cancelled', finished_at = now()
        WHERE turns.started_at IS NULL AND turns.finished_at IS NULL
        RETURNING request_id
    )
    UPDATE request_logs SET status = 'failed', response_content = $2, response_metadata = $3, completed_at = now(),
        updated_at = now()
    WHERE request_id = ANY(ARRAY(SELECT request_id FROM withdrawn)) AND status IN ('pending', 'processing')
    RETURNING reply_to
"""


@router.post(
    "/{request_id}/cancel",  # noqa: FAST003  # read by the dependency
    response_model=RequestResult,
    responses={409: {"description": "An agent is at it already, or it is answered"}},
)
async def cancel_request(row: Visible, request: Request) -> Response:
    """Withdraw a request that no agent has begun: it ends as failed, and its answer says that it was cancelled."""
    pool, request_id = doors_of(request).pool, row["request_id"]
    withdrawn = await finish(_withdraw(pool, request_id))
    if withdrawn is None:
        await _require_cancelled(pool, request_id)
    (response,) = await results.ready(pool, [request_id])
    if withdrawn is not None:
        _tell(request, response, waited_for_by=withdrawn["reply_to"])
    return answered(response)


async def _withdraw(pool: Pool, request_id: str) -> asyncpg.Record | None:
    return await pool.fetchrow(_WITHDRAW, request_id, _CONTENT, _METADATA)


async def _require_cancelled(pool: Pool, request_id: str) -> None:
    """Say why a request could not be withdrawn, unless it was before."""
    state = await state_of(pool, request_id)
    if state is not None and state["cancelled"]:
        return
    match state and RequestStatus(state["status"]):
        case None:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such request")
        case RequestStatus.PENDING | RequestStatus.PROCESSING:
            raise Problem(HTTPStatus.CONFLICT, "An agent is at this request already; it cannot be cancelled any more")
        case RequestStatus.EXPIRED:
            raise Problem(HTTPStatus.CONFLICT, "This request has expired")
        case _:
            raise Problem(HTTPStatus.CONFLICT, "This request is answered already")


def _tell(request: Request, response: AgentResponse, *, waited_for_by: str | None) -> None:
    """Wake who waits for the answer, who follows, and the messages that were queued behind this one."""
    doors = doors_of(request)
    if waited_for_by is not None:
        doors.requests.waiters.answer(response, waited_for_by=waited_for_by)
    doors.followers.changed([response.request_id])
    platform_of(request.app).notifier.notify("turns/promote", response.session_id)
