"""Conversations as their owners and the operators read them."""

from datetime import datetime

from pydantic import BaseModel

from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.sessions import SessionStatus


class Message(BaseModel):
    """One request and its answer. `thread_id_source` says who knew the thread: the request or the session."""

    request_id: str
    timestamp: datetime
    integration_type: IntegrationType
    user_message: str
    agent_response: str | None
    status: str
    agent_id: str | None
    thread_id: str | None
    thread_id_source: str | None
    processing_time_ms: int | None
    completed_at: datetime | None


class Conversation(BaseModel):
    """A session and its newest messages, oldest first; `integration_types` are those of the messages shown."""

    session_id: str
    user_id: str
    user_email: str | None
    integration_type: IntegrationType
    integration_types: list[IntegrationType]
    status: SessionStatus
    created_at: datetime
    last_request_at: datetime | None
    total_requests: int
    current_agent_id: str | None
    current_thread_id: str | None
    conversation: list[Message]


class Conversations(BaseModel):
    """A part of the conversations that were found, newest first.

    `total` counts what was found among the newest 2,000 before `end_date`; `complete` says whether those were all.
    """

    sessions: list[Conversation]
    count: int
    total: int
    complete: bool
    limit: int
    offset: int
    filters: dict[str, str | list[str]]
