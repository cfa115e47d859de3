"""Where the state of a request and its answer are found later."""

from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Request, Response

from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.results import repository as results
from self_service_agent.shared_models.requests import RequestAccepted, RequestResult, RequestStatus

from . import repository
from .answers import accepted, answered
from .dependencies import doors_of
from .schemas import RequestRead, RequestState
from .service import Pending

router = APIRouter(prefix="/api/v1/requests", tags=["requests"])


async def _visible(request: Request, request_id: str) -> asyncpg.Record:
    """Return the request's row if the caller may see it; a foreign request looks like none at all."""
    doors = doors_of(request)
    principal = doors.authentication.person(request.headers)
    user = await doors.authentication.user(login=principal.login, email=principal.email)
    row = await repository.find(doors.pool, request_id) if "\x00" not in request_id else None
    if row is None or (row["user_id"] != user.user_id and not principal.is_admin):
        raise Problem(404, "There is no such request")
    return row


Visible = Annotated[asyncpg.Record, Depends(_visible)]


@router.get("/{request_id}")  # noqa: FAST003  # read by the dependency
async def get_request(row: Visible) -> RequestRead:
    """Return a request with its answer, as far as there is one."""
    return RequestRead.model_validate({**dict(row), "content": row["request_content"]})


@router.get("/{request_id}/status")  # noqa: FAST003  # read by the dependency
async def get_request_status(row: Visible) -> RequestState:
    """Return how far a request is."""
    return RequestState.model_validate(dict(row))


@router.get(
    "/{request_id}/result",  # noqa: FAST003  # read by the dependency
    response_model=RequestResult,
    responses={202: {"model": RequestAccepted, "description": "Not answered yet"}, 410: {"description": "Expired"}},
)
async def get_request_result(row: Visible, request: Request) -> Response:
    """Return the answer: 200 when it is there, 202 while it is not, 410 when it will not come any more."""
    status = RequestStatus(row["status"])
    if status is RequestStatus.EXPIRED:
        raise Problem(410, "This request has expired")
    if status in {RequestStatus.PENDING, RequestStatus.PROCESSING}:
        return accepted(Pending(request_id=row["request_id"], session_id=row["session_id"], status=status))
    (response,) = await results.ready(doors_of(request).pool, [row["request_id"]])
    return answered(response)
