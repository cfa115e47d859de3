"""Following any request as it happens, from the beginning or from where a connection was lost."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.results import repository as results
from self_service_agent.request_manager.results.progress import LEAVE, LOOK, Progress
from self_service_agent.shared_models.requests import RequestStatus

from . import repository
from .answers import accepted_of, result_of
from .dependencies import Doors, doors_of
from .looking import SWEEP_SECONDS
from .service import Pending
from .telling import Telling, position_of
from .viewing import Visible

router = APIRouter()

_OPEN = frozenset({RequestStatus.PENDING, RequestStatus.PROCESSING})
STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


@router.get(
    "/{request_id}/events",  # noqa: FAST003  # read by the dependency
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "`status`, `tool`…, `token`…, `final`; `resume` at a restart",
        },
        204: {"description": "Everything was told before: do not come back"},
        410: {"description": "Expired"},
    },
)
async def follow_request(
    row: Visible, request: Request, last_event_id: Annotated[str | None, Header()] = None
) -> Response:
    """Tell what happens to a request until its answer, or what is left of that after `Last-Event-ID`."""
    if row["status"] == RequestStatus.EXPIRED:
        raise Problem(HTTPStatus.GONE, "This request has expired")
    telling = Telling(after=position_of(last_event_id))
    if telling.is_over:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    events = _events(doors_of(request), row["request_id"], telling)
    return StreamingResponse(events, media_type="text/event-stream", headers=STREAM_HEADERS)


async def _events(doors: Doors, request_id: str, telling: Telling) -> AsyncIterator[bytes]:
    with doors.followers.joining(request_id) as queue:
        while (pending := await _pending(doors, request_id)) is not None:
            for event in telling.status(pending.status, accepted_of(pending)):
                yield event
            if doors.followers.is_leaving:
                for event in telling.resume(accepted_of(pending)):
                    yield event
                return
            async for event in _until_look(queue, telling):
                yield event
    for response in await results.ready(doors.pool, [request_id]):  # none, if it was erased meanwhile
        for event in telling.answer(response.content, result_of(response)):
            yield event


async def _pending(doors: Doors, request_id: str) -> Pending | None:
    row = await repository.find(doors.pool, request_id)
    if row is None or row["status"] not in _OPEN:
        return None
    return Pending(request_id=request_id, session_id=row["session_id"], status=RequestStatus(row["status"]))


async def _until_look(queue: "asyncio.Queue[Progress]", telling: Telling) -> AsyncIterator[bytes]:
    """Tell what is said until it is time to look how far the request is."""
    try:
        while True:
            async with asyncio.timeout(SWEEP_SECONDS):
                said = await queue.get()
            if said["kind"] in {LOOK, LEAVE}:
                return
            for event in telling.said(said):
                yield event
    except TimeoutError:
        yield b": still here\n\n"
