"""How an accepted request is answered over HTTP: at once, later, or as a stream of events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json
from starlette.datastructures import QueryParams

from self_service_agent.kit.http.light import JsonResponse
from self_service_agent.kit.ids import new_id
from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.results.progress import LEAVE, Progress
from self_service_agent.request_manager.results.waiters import RequestErased
from self_service_agent.shared_models.requests import AgentResponse, BaseRequest, RequestStatus
from self_service_agent.shared_models.users import User

from .dependencies import Doors, doors_of
from .repository import NewRequest, StoredRequest
from .rules import Wishes, wishes_of
from .service import Pending
from .telling import Teller, Telling, position_of

_KEEP_ALIVE_SECONDS = 15
_LATER = (b"retry-after", b"1")


async def respond(request: Request, body: BaseRequest, user: User, *, wishes: Wishes | None = None) -> Response:
    """Accept the request and return its answer, its address, or a stream that ends with the answer.

    `wishes` are those of the headers unless given.
    """
    doors = doors_of(request)
    wishes = wishes or wishes_of(request.headers, _query(request.scope["query_string"]))
    if wishes.stream and not wishes.asynchronous:
        return await _stream(request, body, user=user, wishes=wishes)
    outcome = await doors.requests.answer(body, user, wishes, gone=partial(disconnected, request))
    return answered(outcome) if isinstance(outcome, AgentResponse) else accepted(outcome)


@lru_cache(maxsize=256)
def _query(query_string: bytes) -> Mapping[str, str]:
    return QueryParams(query_string)


async def disconnected(request: Request) -> None:
    """Return once the caller has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def answered(response: AgentResponse) -> Response:
    return JsonResponse(to_json(result_of(response)))


def accepted(pending: Pending) -> Response:
    body = accepted_of(pending)
    headers = ((b"location", body["status_url"].encode()), _LATER)
    return JsonResponse(orjson.dumps(body), HTTPStatus.ACCEPTED, headers=headers)


def result_of(response: AgentResponse) -> dict[str, Any]:
    """Return the body of a finished request."""
    failed = response.response_type == "error"
    return {
        "request_id": response.request_id,
        "session_id": response.session_id,
        "status": RequestStatus.FAILED if failed else RequestStatus.COMPLETED,
        "response": {
            "content": response.content,
            "agent_id": response.agent_id,
            "metadata": response.metadata,
            "processing_time_ms": response.processing_time_ms,
            "requires_followup": response.requires_followup,
            "followup_actions": response.followup_actions,
        },
    }


def accepted_of(pending: Pending) -> dict[str, str]:
    """Return the body of a request that is still open."""
    address = f"/api/v1/requests/{pending.request_id}"
    return {
        "request_id": pending.request_id,
        "session_id": pending.session_id,
        "status": pending.status,
        "status_url": f"{address}/status",
        "result_url": f"{address}/result",
    }


async def _stream(request: Request, body: BaseRequest, *, user: User, wishes: Wishes) -> Response:
    doors = doors_of(request)
    told_before = position_of(request.headers.get("last-event-id"))

    def telling(stored: StoredRequest) -> Telling:
        return Telling(after=told_before if stored.repeated else 0)

    return await stream(doors, doors.requests.prepare(body, user, wishes, request_id=new_id()), telling=telling)


async def stream(
    doors: Doors,
    new: NewRequest,
    *,
    telling: Callable[[StoredRequest], Teller],
    known: StoredRequest | None = None,
) -> Response:
    """Accept a request before the stream of its answer begins, so that a refusal is still an error and not an event.

    `known` is the same request, if it is known to have been accepted before.
    """
    with ExitStack() as stack:
        progress = stack.enter_context(doors.followers.following(new.request_id))
        future = stack.enter_context(doors.requests.waiters.waiting(new.request_id))
        stored = known or await doors.requests.accept(new)
        if stored.repeated:
            progress = stack.enter_context(doors.followers.joining(stored.request_id))
        events = _events(doors, stored, telling(stored), progress=progress, future=future, until=stack.pop_all())
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(
    doors: Doors,
    stored: StoredRequest,
    telling: Teller,
    *,
    progress: "asyncio.Queue[Progress]",
    future: "asyncio.Future[AgentResponse]",
    until: ExitStack,
) -> AsyncIterator[bytes]:
    with until:
        pending = Pending(request_id=stored.request_id, session_id=stored.session_id)
        for told in telling.status(pending.status, accepted_of(pending)):
            yield told
        answer = asyncio.ensure_future(doors.requests.wait(stored, future))
        try:
            while not answer.done():
                said = await _next(progress, answer)
                if said is None and not answer.done():
                    yield b": still here\n\n"
                for told in telling.said(said) if said else ():
                    yield told
                if said and said["kind"] == LEAVE and (elsewhere := [*telling.resume(accepted_of(pending))]):
                    yield b"".join(elsewhere)
                    return
        finally:
            answer.cancel()
        for told in _ending(answer, telling):
            yield told


def _ending(answer: "asyncio.Task[AgentResponse | Pending]", telling: Teller) -> Iterator[bytes]:
    try:
        outcome = answer.result()
    except RequestErased as error:
        return telling.failed(Problem(HTTPStatus.GONE, str(error)))
    if isinstance(outcome, AgentResponse):
        return telling.answer(outcome.content, result_of(outcome))
    return telling.later(accepted_of(outcome))


async def _next(progress: "asyncio.Queue[Progress]", answer: "asyncio.Task[Any]") -> Progress | None:
    """Wait for something to say, the answer, or the time to show that the line is alive."""
    getting = asyncio.ensure_future(progress.get())
    await asyncio.wait({getting, answer}, timeout=_KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if getting.done():
        return getting.result()
    getting.cancel()
    return None
