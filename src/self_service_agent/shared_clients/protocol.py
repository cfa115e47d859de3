"""Requests to the request manager and its answers as values: what is sent, what comes back, when to try again."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeAlias, TypedDict

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from self_service_agent.shared_models.requests import (
    DeliveryChoice,
    RequestAccepted,
    RequestResult,
    RequestStatus,
)

from .errors import Busy, Forbidden, Gone, Invalid, NotFound, Refused, ServerFault, Unauthenticated

_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_PASSING = _BUSY | {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
_ATTEMPTS = 3
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 10.0


class RequestFields(TypedDict, total=False):
    """What a request may say beside its text; each endpoint reads what it knows."""

    idempotency_key: str
    delivery: DeliveryChoice
    request_manager_session_id: str
    user_email: str
    session_name: str
    tool_id: str
    tool_instance_id: str
    trigger_event: str
    tool_context: Mapping[str, Any]


class Answer(RequestResult):
    """A finished request; its fields can also be read by name, like the JSON document they came in."""

    def __getitem__(self, name: str) -> Any:
        return self.model_dump(mode="json")[name]


class RequestState(BaseModel):
    """How far a request is."""

    request_id: str
    session_id: str
    status: RequestStatus


class StatusChanged(BaseModel):
    """The request was accepted, or an agent took it up."""

    request_id: str
    status: RequestStatus


class Token(BaseModel):
    """The next piece of the answer's text."""

    text: str


class Final(BaseModel):
    """The whole answer; nothing comes after it."""

    answer: Answer


class Later(BaseModel):
    """The answer takes longer than the stream lives; `accepted` says where it will be. Nothing comes after it."""

    accepted: RequestAccepted


StreamEvent: TypeAlias = StatusChanged | Token | Final | Later


def request_body(
    content: str, fields: RequestFields, *, user_id: str, integration_type: str, metadata: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the JSON document of a request."""
    named = {name: value for name, value in fields.items() if name != "idempotency_key"}
    fixed = {"user_id": user_id, "content": content, "integration_type": integration_type, "metadata": metadata or {}}
    body: dict[str, Any] = to_jsonable_python({**fixed, **named})
    return body


def read_event(kind: str, data: str) -> StreamEvent | None:
    """Return what a line of the stream says, or None for what this client does not know."""
    match kind:
        case "status":
            return StatusChanged.model_validate_json(data)
        case "token":
            return Token.model_validate_json(data)
        case "final":
            return Final(answer=Answer.model_validate_json(data))
        case "accepted":
            return Later(accepted=RequestAccepted.model_validate_json(data))
        case _:
            return None


def refusal(status: int, content: bytes, *, retry_after: str | None) -> Refused:
    """Return the error that an answer stands for, with the words of its problem document."""
    problem = _problem(content)
    message = str(problem.get("detail") or problem.get("error") or problem.get("title") or f"HTTP {status}")
    return _kind(status)(status, message, problem=problem, retry_after=_seconds(retry_after))


def next_wait(status: int | None, attempt: int, *, retry_after: float | None, random: float) -> float | None:
    """Return the seconds to wait after failed attempt number `attempt`, or None when it was the last.

    `status` is None when the line broke. Both are safe to repeat: every request carries its idempotency key.
    """
    if attempt >= _ATTEMPTS or (status is not None and status not in _PASSING):
        return None
    wait = max(_FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + random), retry_after or 0)
    return wait if wait <= _LONGEST_WAIT else None


def _kind(status: int) -> type[Refused]:
    if status in _BUSY:
        return Busy
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerFault
    kinds: dict[int, type[Refused]] = {
        HTTPStatus.UNAUTHORIZED: Unauthenticated,
        HTTPStatus.FORBIDDEN: Forbidden,
        HTTPStatus.NOT_FOUND: NotFound,
        HTTPStatus.GONE: Gone,
    }
    return kinds.get(status, Invalid)


def _problem(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:  # an error page of something in between
        return {}
    return document if isinstance(document, dict) else {}


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
