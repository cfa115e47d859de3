"""Lists of requests and of sessions: what may be asked for, and what a page of them holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import RequestStatus
from self_service_agent.shared_models.sessions import SessionStatus


class RequestFilters(TypedDict, total=False):
    """Which requests are wanted; `cursor` is the `next_cursor` of the page before."""

    session_id: str
    start_date: datetime
    end_date: datetime
    user_id: str
    user_email: str
    integration_types: Sequence[str]
    agent_id: str
    status: Sequence[str]
    limit: int
    offset: int
    cursor: str


class SessionFilters(TypedDict, total=False):
    """Which sessions are wanted; `cursor` is the `next_cursor` of the page before."""

    user_id: str
    status: str
    integration_type: str
    agent_id: str
    created_since: datetime
    created_until: datetime
    last_request_since: datetime
    last_request_until: datetime
    limit: int
    cursor: str


class RequestListed(BaseModel):
    """A request with its answer, as far as there is one, and whose it is."""

    request_id: str
    session_id: str
    user_id: str
    status: RequestStatus
    integration_type: IntegrationType
    request_type: str
    content: str
    response_content: str | None
    agent_id: str | None
    created_at: datetime
    completed_at: datetime | None


class RequestPage(BaseModel):
    """Requests, newest first. A page may be short and have a successor all the same: go on while there is a cursor."""

    requests: tuple[RequestListed, ...]
    next_cursor: str | None


class Session(BaseModel):
    """A conversation across requests and channels."""

    session_id: str
    user_id: str
    name: str | None
    integration_type: IntegrationType
    status: SessionStatus
    channel_id: str | None
    thread_id: str | None
    current_agent_id: str | None
    total_requests: int
    last_request_at: datetime | None
    expires_at: datetime
    created_at: datetime


class SessionPage(BaseModel):
    """Sessions, newest first. A page may be short and have a successor all the same: go on while there is a cursor."""

    sessions: tuple[Session, ...]
    next_cursor: str | None


def params_of(filters: Mapping[str, object]) -> dict[str, Any]:
    """Return the query that stands for filters."""
    params: dict[str, Any] = to_jsonable_python(dict(filters))
    return params
