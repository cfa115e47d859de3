"""Where the state of a request and its answer are found later."""

from http import HTTPStatus

import asyncpg
from fastapi import APIRouter, Request, Response

from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.results import repository as results
from self_service_agent.shared_models.requests import RequestAccepted, RequestResult, RequestStatus

from . import cancelling, following, listing, timeline
from .answers import accepted, answered
from .dependencies import doors_of
from .looking import Wait, look_until
from .schemas import RequestProgress, RequestRead
from .service import Pending
from .viewing import CurrentViewer, Visible

router = APIRouter(prefix="/api/v1/requests", tags=["requests"])

_OPEN = frozenset({RequestStatus.PENDING, RequestStatus.PROCESSING})


@router.get("/{request_id}")  # noqa: FAST003  # read by the dependency
async def get_request(row: Visible) -> RequestRead:
    """Return a request with its answer, as far as there is one."""
    return RequestRead.model_validate({**row, "content": row["request_content"]})


@router.get("/{request_id}/status")
async def get_request_status(
    request_id: str, request: Request, viewer: CurrentViewer, *, wait: Wait = 0
) -> RequestProgress:
    """Return how far a request is; with `wait`, as soon as that changes or it is answered."""

    async def read() -> asyncpg.Record:
        return viewer.require(await timeline.state_of(doors_of(request).pool, request_id))

    def has_news(before: asyncpg.Record, now: asyncpg.Record) -> bool:
        return now["status"] not in _OPEN or now["status"] != before["status"]

    return timeline.shown(await look_until(has_news, read, request=request, wait=wait))


@router.get(
    "/{request_id}/result",
    response_model=RequestResult,
    responses={202: {"model": RequestAccepted, "description": "Not answered yet"}, 410: {"description": "Expired"}},
)
async def get_request_result(request_id: str, request: Request, viewer: CurrentViewer, *, wait: Wait = 0) -> Response:
    """Return the answer: 200 when it is there, 202 while it is not, 410 when it will not come any more.

    With `wait`, that is decided as soon as it can be. Who waits here looks, and changes nothing about where else the
    answer goes.
    """
    pool = doors_of(request).pool

    async def read() -> asyncpg.Record:
        return viewer.require(await timeline.state_of(pool, request_id))

    row = await look_until(lambda _, now: now["status"] not in _OPEN, read, request=request, wait=wait)
    status = RequestStatus(row["status"])
    if status is RequestStatus.EXPIRED:
        raise Problem(HTTPStatus.GONE, "This request has expired")
    if status in _OPEN:
        return accepted(Pending(request_id=row["request_id"], session_id=row["session_id"], status=status))
    (response,) = await results.ready(pool, [request_id])
    return answered(response)


router.get("")(listing.get_requests)
router.include_router(following.router)
router.include_router(cancelling.router)
