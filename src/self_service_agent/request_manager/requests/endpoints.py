"""The doors through which requests come in."""

import hmac
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Response

from self_service_agent.kit.http.light import LightRequest, LightRoute, admitted_by
from self_service_agent.request_manager.authentication.rules import Forbidden, Principal, bearer_of
from self_service_agent.shared_models.requests import (
    BaseRequest,
    CLIRequest,
    RequestAccepted,
    RequestResult,
    SlackRequest,
    ToolRequest,
    WebRequest,
)

from .answers import respond
from .dependencies import doors_of
from .rules import wishes_of

router = APIRouter(prefix="/api/v1/requests", tags=["requests"], route_class=LightRoute)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": RequestResult, "description": "The answer"},
    202: {"model": RequestAccepted, "description": "Accepted; the answer will be at result_url"},
}


# The checks wait for nothing: a caller that hangs up right after the last byte of its body is still heard.
async def _a_person(request: LightRequest) -> Principal:
    return doors_of(request).authentication.person(request.headers)


async def _anybody_allowed(request: LightRequest) -> Principal | None:
    if doors_of(request).anonymous_generic and "authorization" not in request.headers:
        return None
    return await _a_person(request)


async def _a_tool(request: LightRequest) -> Principal:
    return doors_of(request).authentication.tool(request.headers)


async def _slack(request: LightRequest) -> None:
    doors_of(request).authentication.slack(request.headers, await request.body())


@router.post("/web", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_a_person)
async def post_web_request(request: LightRequest, body: WebRequest) -> Response:
    """Ask as a person, from a browser."""
    return await _answer_person(request, body)


@router.post("/cli", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_a_person)
async def post_cli_request(request: LightRequest, body: CLIRequest) -> Response:
    """Ask as a person, from a terminal."""
    return await _answer_person(request, body)


@router.post("/generic", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_anybody_allowed)
async def post_generic_request(request: LightRequest, body: BaseRequest) -> Response:
    """Ask as a person, on behalf of any integration type."""
    if request.admitted is not None:
        return await _answer_person(request, body)
    return await respond(request, body, await doors_of(request).authentication.user_named(body.user_id))


@router.post("/tool", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_a_tool)
async def post_tool_request(request: LightRequest, body: ToolRequest) -> Response:
    """Ask as a tool, on behalf of a person."""
    if request.admitted.tool_id != body.tool_id:
        raise Forbidden(f"this key does not belong to the tool {body.tool_id}")
    return await respond(request, body, await doors_of(request).authentication.user_named(body.user_id))


@router.post("/slack", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_slack)
async def post_slack_request(request: LightRequest, body: SlackRequest) -> Response:
    """Ask from Slack; the signature covers the raw body, and the answer goes to the thread."""
    user = await doors_of(request).authentication.user_named(body.user_id)
    # The same signature again is the same request again: a replay starts nothing new.
    key = request.headers.get("idempotency-key") or request.headers["x-slack-signature"]
    wishes = replace(wishes_of({"idempotency-key": key}, {}), asynchronous=True)
    return await respond(request, body, user, wishes=wishes)


async def _answer_person(request: LightRequest, body: BaseRequest) -> Response:
    principal: Principal = request.admitted
    user = await doors_of(request).authentication.user(login=principal.login, email=principal.email)
    # The body names the caller, by any of their names or by the key itself.
    key = bearer_of(request.headers.get("authorization"))
    if not (hmac.compare_digest(body.user_id.encode(), key.encode()) or user.is_named(body.user_id)):
        raise Forbidden("user_id in the body is not the caller")
    return await respond(request, body, user)
