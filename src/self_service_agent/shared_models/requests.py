"""Requests: as each entry point receives them, and in the common form that agents work on."""

import itertools
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .integrations import IntegrationType

CONTENT_LIMIT = 65_536
_DEPTH_LIMIT = 32
_FIRST_SURROGATE, _LAST_SURROGATE = "\ud800", "\udfff"
_SMALLEST_INTEGER, _LARGEST_INTEGER = -(2**63), 2**63 - 1


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    if not text.isascii() and any(_FIRST_SURROGATE <= character <= _LAST_SURROGATE for character in text):
        raise ValueError("must not contain half characters")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _storable(values: dict[str, Any]) -> dict[str, Any]:
    """Refuse what PostgreSQL or a later reader of the same JSON could not take."""
    level: list[Any] = [values]
    for _ in range(_DEPTH_LIMIT):
        level = [_storable_item(item) for value in level for item in _items_of(value)]
        if not level:
            return values
    raise ValueError(f"must not be nested more than {_DEPTH_LIMIT} levels deep")


def _items_of(value: Any) -> Iterable[Any]:
    match value:
        case dict():
            return itertools.chain(value, value.values())
        case list():
            return value
        case _:
            return ()


def _storable_item(item: Any) -> Any:
    if isinstance(item, str):
        return _without_nul(item)
    if isinstance(item, int) and not _SMALLEST_INTEGER <= item <= _LARGEST_INTEGER:
        raise ValueError("must not contain integers of more than 64 bits")
    return item


Text = Annotated[str, AfterValidator(_without_nul)]
JsonObject = Annotated[dict[str, Any], AfterValidator(_storable)]
UserId = Annotated[Text, Field(min_length=1, max_length=255)]
ShortText = Annotated[Text, Field(max_length=255)]


class DeliveryMode(StrEnum):
    """Where the answer goes: to the caller, to channels, or to both."""

    REPLY = "reply"
    CHANNELS = "channels"
    BOTH = "both"


class DeliveryChoice(BaseModel):
    """A caller's wish for the answer. With `reply`, channels named here are used if the caller has gone."""

    model_config = ConfigDict(frozen=True)

    mode: DeliveryMode = DeliveryMode.REPLY
    channels: Annotated[tuple[IntegrationType, ...], Field(max_length=len(IntegrationType))] = ()


class BaseRequest(BaseModel):
    """What every entry point accepts; unknown fields are ignored."""

    integration_type: IntegrationType
    user_id: UserId
    content: Annotated[Text, AfterValidator(_not_blank), Field(min_length=1, max_length=CONTENT_LIMIT)]
    request_type: Annotated[Text, Field(min_length=1, max_length=100)] = "message"
    metadata: JsonObject = Field(default_factory=dict)
    request_manager_session_id: Annotated[Text, Field(max_length=36)] | None = None
    user_email: ShortText | None = None
    session_name: ShortText | None = None
    delivery: DeliveryChoice | None = None

    @property
    def wanted_session(self) -> str | None:
        """The session the caller asks to continue, by field or by metadata."""
        named = self.request_manager_session_id or self.metadata.get("session_id")
        return named if isinstance(named, str) and named else None


class WebRequest(BaseRequest):
    integration_type: IntegrationType = IntegrationType.WEB
    session_token: Annotated[Text, Field(max_length=500)] | None = None
    client_ip: Annotated[Text, Field(max_length=45)] | None = None
    user_agent: Annotated[Text, Field(max_length=500)] | None = None


class AddressedRequest(WebRequest):
    """A question to one agent; `digest` is the same for the same question in the same place of a conversation."""

    target_agent_id: Annotated[ShortText, Field(min_length=1)]
    digest: Annotated[Text, Field(max_length=64)]


class CLIRequest(BaseRequest):
    integration_type: IntegrationType = IntegrationType.CLI
    cli_session_id: ShortText | None = None
    command_context: JsonObject = Field(default_factory=dict)


class ToolRequest(BaseRequest):
    integration_type: IntegrationType = IntegrationType.TOOL
    tool_id: Annotated[ShortText, Field(min_length=1)]
    tool_instance_id: ShortText | None = None
    trigger_event: Annotated[ShortText, Field(min_length=1)] | None = None
    tool_context: JsonObject = Field(default_factory=dict)


class SlackRequest(BaseRequest):
    integration_type: IntegrationType = IntegrationType.SLACK
    channel_id: ShortText | None = None
    thread_id: ShortText | None = None
    slack_user_id: Annotated[ShortText, Field(min_length=1)]
    slack_team_id: Annotated[ShortText, Field(min_length=1)]


class NormalizedRequest(BaseModel):
    """A request in the common form, as the agent service receives it.

    `stream_to` is the process whose caller follows the turn as it happens, if one does.
    """

    model_config = ConfigDict(frozen=True)

    request_id: str
    session_id: str
    user_id: str
    integration_type: IntegrationType
    request_type: str
    content: str
    integration_context: dict[str, Any] = {}
    user_context: dict[str, Any] = {}
    target_agent_id: str | None = None
    requires_routing: bool = True
    stream_to: str | None = None
    created_at: datetime


class AgentResponse(BaseModel):
    """An agent's answer to one request."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    session_id: str
    user_id: str
    agent_id: str | None
    content: str
    response_type: Literal["message", "error", "tokens"] = "message"
    metadata: dict[str, Any] = {}
    processing_time_ms: int | None = None
    requires_followup: bool = False
    followup_actions: list[str] = []
    created_at: datetime


class RequestStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"


class ResponseBody(BaseModel):
    """The `response` part of a finished request."""

    content: str
    agent_id: str | None
    metadata: dict[str, Any]
    processing_time_ms: int | None
    requires_followup: bool
    followup_actions: list[str]


class RequestResult(BaseModel):
    """A finished request, as its caller sees it."""

    request_id: str
    session_id: str
    status: RequestStatus
    response: ResponseBody


class RequestAccepted(BaseModel):
    """A request that will be answered later, and where."""

    request_id: str
    session_id: str
    status: RequestStatus
    status_url: str
    result_url: str
