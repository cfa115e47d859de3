"""Hand-offs over HTTP, for operators and administrators."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any, Final

import asyncpg
import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, Field

from self_service_agent.kit.paging import MAX_LIMIT
from self_service_agent.kit.problems import Problem
from self_service_agent.shared_models.calling import CallerDependency
from self_service_agent.shared_models.requests import CONTENT_LIMIT, Text
from self_service_agent.shared_models.users import Caller

from .rules import ActKind, HandoffState
from .service import HandoffNotFound, Handoffs, KeyReused, NotInYourHands

router = APIRouter(prefix="/api/v1/handoffs", tags=["hand-offs"])

PROBLEMS: Final[Mapping[type[Exception], int]] = MappingProxyType(
    {
        HandoffNotFound: HTTPStatus.NOT_FOUND,
        NotInYourHands: HTTPStatus.CONFLICT,
        KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)

_KEY_LIMIT: Final = 255


class ReplyBody(BaseModel):
    """What is said to the person."""

    content: Annotated[Text, Field(min_length=1, max_length=CONTENT_LIMIT)]


class HandoffRead(BaseModel):
    """A conversation in the hands of a person, or waiting for one."""

    handoff_id: str
    state: HandoffState
    queue: str
    reason: str
    user_id: str
    person: str
    session_id: str
    request_id: str
    agent_id: str
    owner: str | None
    owner_name: str | None
    created_at: datetime
    claimed_at: datetime | None
    ended_at: datetime | None


class HandoffDetail(HandoffRead):
    """With what was known when it was handed over, and the conversation as it is by now."""

    packet: dict[str, Any]
    messages: list[dict[str, Any]]


class HandoffList(BaseModel):
    handoffs: list[HandoffRead]


class Told(BaseModel):
    """The request by which the person is told."""

    request_id: str


async def _handoffs(request: Request) -> Handoffs:
    handoffs: Handoffs = request.app.state.handoffs
    return handoffs


async def _staff(caller: CallerDependency) -> Caller:
    if not caller.is_staff:
        raise Problem(HTTPStatus.FORBIDDEN, "this is for operators and administrators")
    return caller


async def _key(key: Annotated[str | None, Header(alias="Idempotency-Key")] = None) -> str | None:
    if key is not None and not (0 < len(key) <= _KEY_LIMIT and key.isprintable()):
        raise Problem(HTTPStatus.BAD_REQUEST, f"Idempotency-Key must have 1 to {_KEY_LIMIT} printable characters")
    return key


HandoffsService = Annotated[Handoffs, Depends(_handoffs)]
Staff = Annotated[Caller, Depends(_staff)]
Key = Annotated[str | None, Depends(_key)]


@router.get("")
async def read_handoffs(
    _staff: Staff, handoffs: HandoffsService, limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50
) -> HandoffList:
    """Return the conversations that wait for a person or are in the hands of one, oldest first."""
    return HandoffList(handoffs=[_shown(row) for row in await handoffs.waiting(limit=limit)])


@router.get("/{handoff_id}")
async def read_handoff(handoff_id: str, _staff: Staff, handoffs: HandoffsService) -> HandoffDetail:
    """Return one with everything that a person who takes over should know."""
    row = await handoffs.find(handoff_id)
    known = {"packet": orjson.loads(row["packet"]), "messages": await handoffs.messages(row)}
    return HandoffDetail.model_validate({**row, **known})


@router.post("/{handoff_id}/claim")
async def claim_handoff(handoff_id: str, caller: Staff, handoffs: HandoffsService) -> HandoffRead:
    """Take the conversation in hand; 409 if somebody else has it."""
    return _shown(await handoffs.claim(handoff_id, caller.user_id))


@router.post("/{handoff_id}/reply", status_code=HTTPStatus.ACCEPTED)
async def reply(
    handoff_id: str, body: ReplyBody, *, caller: Staff, handoffs: HandoffsService, idempotency_key: Key
) -> Told:
    """Say something to the person, on the channel they wrote from; only who has claimed the conversation can."""
    request_id = await handoffs.act(
        handoff_id, ActKind.REPLY, user_id=caller.user_id, content=body.content, key=idempotency_key
    )
    return Told(request_id=request_id)


@router.post("/{handoff_id}/return", status_code=HTTPStatus.ACCEPTED)
async def give_back(handoff_id: str, caller: Staff, handoffs: HandoffsService) -> Told:
    """Give the conversation back to the agent, which goes on where it stood."""
    return Told(request_id=await handoffs.act(handoff_id, ActKind.RETURN, user_id=caller.user_id, content="", key=""))


@router.post("/{handoff_id}/close", status_code=HTTPStatus.ACCEPTED)
async def close(handoff_id: str, caller: Staff, handoffs: HandoffsService) -> Told:
    """Settle the matter: the agent has the conversation again, and does not go on with what was handed over."""
    return Told(request_id=await handoffs.act(handoff_id, ActKind.CLOSE, user_id=caller.user_id, content="", key=""))


def _shown(row: asyncpg.Record) -> HandoffRead:
    return HandoffRead.model_validate(dict(row))
