"""What the session endpoints take and give."""

from datetime import datetime
from typing import Annotated, Any

import asyncpg
import orjson
from pydantic import AliasChoices, BaseModel, Field

from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import JsonObject, ShortText, UserId
from self_service_agent.shared_models.sessions import ScopePolicy, SessionStatus

Name = Annotated[ShortText, Field(min_length=1)]
Metadata = Annotated[JsonObject, Field(validation_alias=AliasChoices("metadata", "integration_metadata"))]


class SessionCreate(BaseModel):
    """A session to open. Requests find it by its scope, or name it; `user_id` is for operators."""

    integration_type: IntegrationType
    scope: ScopePolicy = ScopePolicy.EXPLICIT
    name: Name | None = None
    channel_id: ShortText | None = None
    thread_id: ShortText | None = None
    ticket_id: ShortText | None = None
    metadata: Metadata = Field(default_factory=dict)
    user_context: JsonObject = Field(default_factory=dict)
    user_id: UserId | None = None


class SessionUpdate(BaseModel):
    """The fields to replace; one that is not named stays."""

    metadata: Metadata = Field(default_factory=dict)
    name: Name | None = None
    user_context: JsonObject = Field(default_factory=dict)


class SessionResume(BaseModel):
    """The channel on which the conversation goes on."""

    integration_type: IntegrationType
    channel_id: ShortText | None = None
    thread_id: ShortText | None = None


class SessionRead(BaseModel):
    session_id: str
    user_id: str
    name: str | None
    scope: str
    integration_type: IntegrationType
    status: SessionStatus
    channel_id: str | None
    thread_id: str | None
    external_session_id: str | None
    current_agent_id: str | None
    conversation_thread_id: str | None
    integration_metadata: dict[str, Any]
    user_context: dict[str, Any]
    total_requests: int
    last_request_id: str | None
    last_request_at: datetime | None
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    version: int


class SessionPage(BaseModel):
    """Sessions, newest first. A page may be shorter than asked for, or empty; `next_cursor` is null on the last."""

    sessions: list[SessionRead]
    next_cursor: str | None


class Position(BaseModel):
    """Where a page of sessions ended."""

    before: str


def shown_session(row: asyncpg.Record) -> SessionRead:
    documents = {name: orjson.loads(row[name]) for name in ("integration_metadata", "user_context")}
    return SessionRead.model_validate({**row, **documents})
