"""The doors through which requests come in."""

import hmac
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Response

from self_service_agent.kit.http.light import LightRequest, LightRoute, admitted_by
from self_service_agent.request_manager.authentication.rules import Principal
from self_service_agent.shared_models.requests import (
    BaseRequest,
    CLIRequest,
    RequestAccepted,
    RequestResult,
    SlackRequest,
    ToolRequest,
    WebRequest,
)
from self_service_agent.shared_models.users import Role, User

from .answers import respond
from .dependencies import doors_of
from .rules import Wishes, wishes_of

router = APIRouter(prefix="/api/v1/requests", tags=["requests"], route_class=LightRoute)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": RequestResult, "description": "The answer"},
    202: {"model": RequestAccepted, "description": "Accepted; the answer will be at result_url"},
    429: {"description": "More than the caller may ask"},
    503: {"description": "More than can be done soon"},
}


# For a key that is known the checks wait for nothing: who hangs up right after the body is still heard.
async def _a_person(request: LightRequest) -> Principal:
    return await doors_of(request).authentication.person(request)


async def _anybody_allowed(request: LightRequest) -> Principal | None:
    if doors_of(request).anonymous_generic and "authorization" not in request.headers:
        return None
    return await _a_person(request)


async def _a_tool(request: LightRequest) -> Principal:
    return await doors_of(request).authentication.tool(request)


async def _slack(request: LightRequest) -> None:
    doors_of(request).authentication.slack(request, await request.body())


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
    return await _answer(request, body, await doors_of(request).authentication.user_named(body.user_id))


@router.post("/tool", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_a_tool)
async def post_tool_request(request: LightRequest, body: ToolRequest) -> Response:
    """Ask as a tool, on behalf of a person."""
    if request.admitted.tool_id != body.tool_id:
        doors_of(request).authentication.forbid(request, request.admitted, "this key is another tool's")
    await doors_of(request).admission.tools.admit(request.scope, body.tool_id)
    return await respond(request, body, await doors_of(request).authentication.user_named(body.user_id))


@router.post("/slack", response_model=RequestResult, responses=_ANSWERS)
@admitted_by(_slack)
async def post_slack_request(request: LightRequest, body: SlackRequest) -> Response:
    """Ask from Slack; the signature covers the raw body, and the answer goes to the thread."""
    user = await doors_of(request).authentication.user_named(body.user_id)
    # The same signature again is the same request again: a replay starts nothing new, whatever else it says.
    wishes = replace(wishes_of({"idempotency-key": request.headers["x-slack-signature"]}, {}), asynchronous=True)
    return await _answer(request, body, user, wishes=wishes)


async def _answer_person(request: LightRequest, body: BaseRequest) -> Response:
    principal: Principal = request.admitted
    authentication = doors_of(request).authentication
    user = await authentication.user(principal)
    # The body names the caller, by any of their names or by the key itself.
    key = request.headers.get("authorization", "").rpartition(" ")[2]
    if not (hmac.compare_digest(body.user_id.encode(), key.encode()) or user.is_named(body.user_id)):
        if Role.SERVICE not in principal.roles:
            authentication.forbid(request, principal, "user_id in the body is not the caller")
        user = await authentication.user_named(body.user_id)
    return await _answer(request, body, user)


async def _answer(request: LightRequest, body: BaseRequest, user: User, *, wishes: Wishes | None = None) -> Response:
    await doors_of(request).admission.people.admit(request.scope, user.user_id)
    return await respond(request, body, user, wishes=wishes)
