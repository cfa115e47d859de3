"""The events between our services: their names, their data, and who gets them."""

from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from .integrations import IntegrationType
from .requests import AgentResponse, NormalizedRequest

PREFIX: Final = "com.self-service-agent."

REQUEST_CREATED: Final = PREFIX + "request.created"
RESPONSE_READY: Final = PREFIX + "agent.response-ready"
REQUEST_COMPLETED: Final = PREFIX + "request.completed"
REQUEST_FOLLOWED_UP: Final = PREFIX + "request.followed-up"
APPROVAL_REQUESTED: Final = PREFIX + "approval.requested"
APPROVAL_DECIDED: Final = PREFIX + "approval.decided"

REQUEST_MANAGER: Final = "request-manager"
AGENT_SERVICE: Final = "agent-service"
INTEGRATION_DISPATCHER: Final = "integration-dispatcher"

# Which services consume which type. An event that nobody consumes is not stored.
SUBSCRIPTIONS: Final = MappingProxyType(
    {
        REQUEST_CREATED: (AGENT_SERVICE,),
        RESPONSE_READY: (REQUEST_MANAGER,),
        REQUEST_COMPLETED: (INTEGRATION_DISPATCHER,),
        REQUEST_FOLLOWED_UP: (REQUEST_MANAGER,),
        APPROVAL_REQUESTED: (INTEGRATION_DISPATCHER,),
        APPROVAL_DECIDED: (INTEGRATION_DISPATCHER,),
    }
)


class RequestCreated(NormalizedRequest):
    """A request was accepted."""


class ResponseReady(AgentResponse):
    """An agent answered a request."""


class RequestCompleted(BaseModel):
    """A request is answered and its answer is to be delivered on channels.

    `channels` are the integration types the answer goes to; empty means those that the person's effective
    configuration enables. `integration_context` is the request's, for channels that answer in place.
    """

    model_config = ConfigDict(frozen=True)

    response: AgentResponse
    integration_type: IntegrationType
    channels: tuple[IntegrationType, ...]
    integration_context: dict[str, Any]


class RequestFollowedUp(BaseModel):
    """Something happened to a conversation from elsewhere, and becomes a request of its own there.

    `after` is the request whose door and channel it is answered on; `context` says what happened, for the agent.
    """

    model_config = ConfigDict(frozen=True)

    request_id: str
    session_id: str
    after: str
    request_type: str
    content: str
    context: dict[str, Any]


class ApprovalRequested(BaseModel):
    """A flow waits for somebody's decision. `names` are those who are told, by e-mail, login or id."""

    model_config = ConfigDict(frozen=True)

    approval_id: str
    session_id: str
    request_id: str
    user_id: str
    requester: str
    agent_id: str
    action: str
    summary: str
    approvers: str
    names: tuple[str, ...]
    expires_at: datetime


class ApprovalDecided(BaseModel):
    """An approval was granted, denied, cancelled, or expired; `decided_by` is the id of who did it, if somebody did."""

    model_config = ConfigDict(frozen=True)

    approval_id: str
    session_id: str
    request_id: str
    user_id: str
    action: str
    state: str
    decided_by: str | None
    decided_at: datetime
    comment: str | None
