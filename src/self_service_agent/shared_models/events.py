"""The events between our services: their names, their data, and who gets them."""

from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from .integrations import IntegrationType
from .requests import AgentResponse, NormalizedRequest

PREFIX: Final = "com.self-service-agent."

REQUEST_CREATED: Final = PREFIX + "request.created"
RESPONSE_READY: Final = PREFIX + "agent.response-ready"
REQUEST_COMPLETED: Final = PREFIX + "request.completed"

REQUEST_MANAGER: Final = "request-manager"
AGENT_SERVICE: Final = "agent-service"
INTEGRATION_DISPATCHER: Final = "integration-dispatcher"

# Which services consume which type. An event that nobody consumes is not stored.
SUBSCRIPTIONS: Final = MappingProxyType(
    {
        REQUEST_CREATED: (AGENT_SERVICE,),
        RESPONSE_READY: (REQUEST_MANAGER,),
        REQUEST_COMPLETED: (INTEGRATION_DISPATCHER,),
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
