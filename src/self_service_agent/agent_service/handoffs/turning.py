"""Hand-offs as turns meet them: left behind by one, acted upon in others."""

from typing import Any

import asyncpg

from self_service_agent.agent_service.flows.turns import HandBack, TurnOutcome
from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool
from self_service_agent.kit.ids import derived_id
from self_service_agent.shared_models.requests import AgentResponse, NormalizedRequest

from . import repository
from .rules import FOLLOW_UP_TYPES, ActKind, NewHandoff, reason_of

_TYPES = frozenset(FOLLOW_UP_TYPES.values())


def new_handoff(outcome: TurnOutcome, request: NormalizedRequest) -> NewHandoff | None:
    """Return the hand-off that a turn leaves behind, if it does."""
    if outcome.handoff is None:
        return None
    who = {"user_id": request.user_id, **{name: request.user_context.get(name) for name in ("email", "login")}}
    return NewHandoff(
        handoff_id=derived_id(request.request_id, "handoff"),
        session_id=request.session_id,
        request_id=request.request_id,
        user_id=request.user_id,
        agent_id=outcome.agent_id,
        reason=reason_of(outcome.handoff),
        packet={**outcome.handoff, "who": who},
    )


async def act_in(pool: Pool, request: NormalizedRequest) -> asyncpg.Record | None:
    """Return what a person did that a request tells; what the request says about itself is not believed."""
    return await repository.act_of(pool, request.request_id) if request.request_type in _TYPES else None


def hand_back_of(act: asyncpg.Record | None) -> HandBack | None:
    """Return that the conversation is the agent's again, if that is what was done."""
    if act is None or act["kind"] == ActKind.REPLY:
        return None
    return HandBack(by=act["author_name"], is_settled=act["kind"] == ActKind.CLOSE)


def reply_to(request: NormalizedRequest, act: asyncpg.Record) -> AgentResponse:
    """Return what a person says, as an answer like any other; nothing of an agent's is added."""
    return AgentResponse(
        request_id=request.request_id,
        session_id=request.session_id,
        user_id=request.user_id,
        agent_id=act["author_name"],
        content=act["content"],
        metadata=_envelope(act["author_name"]),
        requires_followup=True,
        followup_actions=["handoff"],
        created_at=clock.now(),
    )


def _envelope(name: str) -> dict[str, Any]:
    return {
        "engine": "human",
        "model": None,
        "definition": None,
        "agent_id": name,
        "flow": None,
        "step": None,
        "mode": "human",
        "expects": "text",
        "choices": [],
        "pending_confirmation": None,
        "citations": [],
        "tool_calls": [],
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
