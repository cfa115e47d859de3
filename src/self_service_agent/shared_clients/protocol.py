"""Requests to the request manager and its answers as values: what is sent, and what comes back."""

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from self_service_agent.shared_models.deliveries import DeliveryStatus
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import (
    DeliveryChoice,
    RequestAccepted,
    RequestResult,
    RequestStatus,
)

from .errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    Unauthenticated,
    Unavailable,
    Unintelligible,
)

ModelT = TypeVar("ModelT", bound=BaseModel)
_KINDS: Mapping[int, type[Refused]] = MappingProxyType(
    {
        HTTPStatus.UNAUTHORIZED: Unauthenticated,
        HTTPStatus.FORBIDDEN: Forbidden,
        HTTPStatus.NOT_FOUND: NotFound,
        HTTPStatus.CONFLICT: Conflict,
        HTTPStatus.GONE: Gone,
        HTTPStatus.TOO_MANY_REQUESTS: RateLimited,
        HTTPStatus.BAD_GATEWAY: Unavailable,
        HTTPStatus.SERVICE_UNAVAILABLE: Unavailable,
        HTTPStatus.GATEWAY_TIMEOUT: Unavailable,
    }
)


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


class DeliveryProgress(BaseModel):
    """Where the answer stands on one channel; `reason` says why it was skipped, or what went wrong last."""

    integration_type: IntegrationType
    status: DeliveryStatus
    attempts: int
    delivered_at: datetime | None = None
    next_attempt_at: datetime | None = None
    reason: str | None = None


class Timeline(BaseModel):
    """What happened to a request when; None has not happened."""

    accepted: datetime
    started: datetime | None = None
    answered: datetime | None = None
    delivered: tuple[DeliveryProgress, ...] = ()


class RequestState(BaseModel):
    """How far a request is, and what happened to it when."""

    request_id: str
    session_id: str
    status: RequestStatus
    agent_id: str | None = None
    cancelled: bool = False
    timeline: Timeline | None = None


class StatusChanged(BaseModel):
    """The request was accepted, or an agent took it up."""

    request_id: str
    status: RequestStatus


class ToolProgress(BaseModel):
    """A tool has been started, or is through; `label` says for people what it does."""

    tool: str
    label: str
    state: Literal["started", "finished", "failed"]


class Token(BaseModel):
    """The next piece of the answer's text."""

    text: str


class Final(BaseModel):
    """The whole answer; nothing comes after it."""

    answer: Answer


class Later(BaseModel):
    """The answer takes longer than the stream lives; `accepted` says where it will be. Nothing comes after it."""

    accepted: RequestAccepted


StreamEvent: TypeAlias = StatusChanged | ToolProgress | Token | Final | Later


def request_body(
    content: str, fields: RequestFields, *, user_id: str, integration_type: str, metadata: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the JSON document of a request."""
    named = {name: value for name, value in fields.items() if name != "idempotency_key"}
    fixed = {"user_id": user_id, "content": content, "integration_type": integration_type, "metadata": metadata or {}}
    body: dict[str, Any] = to_jsonable_python({**fixed, **named})
    return body


def path_of(name: str) -> str:
    """Return the path of a request, or of the endpoint that takes new ones."""
    return f"/api/v1/requests/{quote(name, safe='')}"


def read(model: type[ModelT], content: bytes | str) -> ModelT:
    """Return what a body says, or raise `Unintelligible`."""
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise Unintelligible(f"this is no {model.__name__}: {content[:80]!r}") from error


def read_event(kind: str, data: str) -> StreamEvent | None:
    """Return what a line of the stream says, or None for what this client does not know."""
    match kind:
        case "status":
            return read(StatusChanged, data)
        case "tool":
            return read(ToolProgress, data)
        case "token":
            return read(Token, data)
        case "final":
            return Final(answer=read(Answer, data))
        case "accepted":
            return Later(accepted=read(RequestAccepted, data))
        case _:
            return None


def refusal(status: int, content: bytes, *, retry_after: float | None) -> Refused:
    """Return the error that an answer stands for, with the words of its problem document."""
    problem = _problem(content)
    message = str(problem.get("detail") or problem.get("error") or problem.get("title") or f"HTTP {status}")
    usual = ServerFault if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Invalid
    return _KINDS.get(status, usual)(status, message, problem=problem, retry_after=retry_after)


def _problem(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:  # an error page of something in between
        return {}
    return document if isinstance(document, dict) else {}
