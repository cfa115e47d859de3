"""Requests and their state, as their owners read them later."""

from datetime import datetime

from pydantic import BaseModel

from self_service_agent.shared_models.deliveries import DeliveryStatus
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import RequestStatus


class RequestState(BaseModel):
    """How far a request is."""

    request_id: str
    session_id: str
    status: RequestStatus
    agent_id: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    processing_time_ms: int | None


class DeliveryProgress(BaseModel):
    """Where the answer stands on one channel; `reason` says why it was skipped, or what went wrong last."""

    integration_type: IntegrationType
    status: DeliveryStatus
    attempts: int
    planned_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    reason: str | None


class Timeline(BaseModel):
    """What happened to a request when; null has not happened."""

    accepted: datetime
    started: datetime | None
    answered: datetime | None
    delivered: list[DeliveryProgress]


class RequestProgress(RequestState):
    """How far a request is, and what happened to it when."""

    cancelled: bool
    timeline: Timeline


class RequestRead(RequestState):
    """A request with its answer, as far as there is one."""

    integration_type: IntegrationType
    request_type: str
    content: str
    response_content: str | None


class RequestListed(RequestRead):
    """A request in a list, and whose it is."""

    user_id: str


class RequestPage(BaseModel):
    """Requests, newest first. A page may be short and have a successor all the same: go on while there is a cursor."""

    requests: list[RequestListed]
    next_cursor: str | None
