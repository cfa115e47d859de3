"""Turns over HTTP, for our own services where no events flow."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from self_service_agent.kit import clock
from self_service_agent.kit.http.light import JsonResponse
from self_service_agent.kit.problems import Problem
from self_service_agent.kit.service_tokens import InvalidServiceToken, ServiceTokens
from self_service_agent.shared_models.events import RequestCreated
from self_service_agent.shared_models.requests import AgentResponse

from .direct import DirectTurns, Unanswered
from .schemas import DirectTurn, TurnQueued

AUDIENCE = "agents"

router = APIRouter(prefix="/api/v1/agents", tags=["agents"])
_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"model": TurnQueued, "description": "The answer comes, or came, as an event"},
    401: {"description": "No service credential"},
    404: {"description": "No such agent or session"},
}


async def _one_of_us(request: Request) -> None:
    tokens: ServiceTokens = request.app.state.event_tokens
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        tokens.verify(token if scheme.lower() == "bearer" else "", audience=AUDIENCE, now=clock.now())
    except InvalidServiceToken:
        raise Problem(
            HTTPStatus.UNAUTHORIZED, "send a service credential", headers={"www-authenticate": "Bearer"}
        ) from None


@router.post("/{agent_id}/turns", response_model=AgentResponse, responses=_ANSWERS, dependencies=[Depends(_one_of_us)])
async def take_turn(agent_id: Annotated[str, Path(max_length=255)], turn: DirectTurn, request: Request) -> Response:
    """Have an agent take one turn, and wait for its answer. The same `request_id` again is the same turn."""
    turns: DirectTurns = request.app.state.direct_turns
    created = RequestCreated(**turn.model_dump(), target_agent_id=agent_id, requires_routing=False)
    answer = await turns.take(created)
    if isinstance(answer, Unanswered):
        queued = TurnQueued(request_id=turn.request_id, session_id=turn.session_id, status=answer.status)
        return JsonResponse(queued.model_dump_json().encode(), HTTPStatus.ACCEPTED)
    return JsonResponse(answer.encode())
