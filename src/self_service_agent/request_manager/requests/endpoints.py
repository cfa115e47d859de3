"""The doors through which requests come in, and where their state and their answers are found later."""

import hmac
from dataclasses import replace
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Request, Response

from self_service_agent.kit.http.light import LightRoute, admitted_by
from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.authentication.rules import Forbidden, bearer_of
from self_service_agent.request_manager.results import repository as results
from self_service_agent.shared_models.requests import (
    BaseRequest,
    CLIRequest,
    RequestAccepted,
    RequestResult,
    RequestStatus,
    SlackRequest,
    ToolRequest,
    WebRequest,
)
from self_service_agent.shared_models.users import User

from . import repository
from .answers import accepted, answered, respond
from .dependencies import doors_of
from .rules import wishes_of
from .schemas import RequestRead, RequestState
from .service import Pending

router = APIRouter(prefix="/api/v1/requests", tags=["requests"], route_class=LightRoute)
lookups = APIRouter(prefix="/api/v1/requests", tags=["requests"])
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": RequestResult, "description": "The answer"},
    202: {"model": RequestAccepted, "description": "Accepted; the answer will be at result_url"},
}


async def _a_person(request: Request) -> None:
    doors_of(request).authentication.person(request.headers)


async def _anybody_allowed(request: Request) -> None:
    if not (doors_of(request).anonymous_generic and "authorization" not in request.headers):
        await _a_person(request)


async def _a_tool(request: Request) -> None:
    doors_of(request).authentication.tool(request.headers)


async def _slack(request: Request) -> None:
    doors_of(request).authentication.slack(request.headers, await request.body())


@router.post("/web", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_a_person)
async def post_web_request(request: Request, body: WebRequest) -> Response:
    """Ask as a person, from a browser."""
    return await _answer_person(request, body)


@router.post("/cli", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_a_person)
async def post_cli_request(request: Request, body: CLIRequest) -> Response:
    """Ask as a person, from a terminal."""
    return await _answer_person(request, body)


@router.post("/generic", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_anybody_allowed)
async def post_generic_request(request: Request, body: BaseRequest) -> Response:
    """Ask as a person, on behalf of any integration type."""
    doors = doors_of(request)
    if doors.anonymous_generic and "authorization" not in request.headers:
        user = await doors.authentication.user_named(body.user_id)
        return await respond(request, body, user)
    return await _answer_person(request, body)


@router.post("/tool", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_a_tool)
async def post_tool_request(request: Request, body: ToolRequest) -> Response:
    """Ask as a tool, on behalf of a person."""
    doors = doors_of(request)
    if doors.authentication.tool(request.headers).tool_id != body.tool_id:
        raise Forbidden(f"this key does not belong to the tool {body.tool_id}")
    user = await doors.authentication.user_named(body.user_id)
    return await respond(request, body, user)


@router.post("/slack", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_slack)
async def post_slack_request(request: Request, body: SlackRequest) -> Response:
    """Ask from Slack; the signature covers the raw body, and the answer goes to the thread."""
    user = await doors_of(request).authentication.user_named(body.user_id)
    # The same signature again is the same request again: a replay starts nothing new.
    key = request.headers.get("idempotency-key") or request.headers["x-slack-signature"]
    wishes = replace(wishes_of({"idempotency-key": key}, {}), asynchronous=True)
    return await respond(request, body, user, wishes=wishes)


async def _answer_person(request: Request, body: BaseRequest) -> Response:
    doors = doors_of(request)
    principal = doors.authentication.person(request.headers)
    user = await doors.authentication.user(login=principal.login, email=principal.email)
    _check_identity(request, body, user)
    return await respond(request, body, user)


def _check_identity(request: Request, body: BaseRequest, user: User) -> None:
    """Insist that the body names the caller, by any of their names or by the key itself."""
    key = bearer_of(request.headers.get("authorization"))
    if user.is_named(body.user_id) or hmac.compare_digest(body.user_id.encode(), key.encode()):
        return
    raise Forbidden("user_id in the body is not the caller")


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


@lookups.get("/{request_id}")  # noqa: FAST003  # read by the dependency
async def get_request(row: Visible) -> RequestRead:
    """Return a request with its answer, as far as there is one."""
    return RequestRead.model_validate({**dict(row), "content": row["request_content"]})


@lookups.get("/{request_id}/status")  # noqa: FAST003  # read by the dependency
async def get_request_status(row: Visible) -> RequestState:
    """Return how far a request is."""
    return RequestState.model_validate(dict(row))


@lookups.get(
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
