"""Requests and their state, as their owners read them later."""

from datetime import datetime

from pydantic import BaseModel

from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import RequestStatus


class RequestState(BaseModel):
    request_id: str
    session_id: str
    status: RequestStatus
    agent_id: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    processing_time_ms: int | None


class RequestRead(RequestState):
    integration_type: IntegrationType
    request_type: str
    content: str
    response_content: str | None
