"""Turns as other services bring them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from self_service_agent.kit import clock
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import CONTENT_LIMIT, JsonObject, Text, UserId

Id = Annotated[Text, Field(min_length=1, max_length=36)]


class DirectTurn(BaseModel):
    """A request in the common form, of a session that is open; the agent is the one of the path."""

    request_id: Id
    session_id: Id
    user_id: UserId
    content: Annotated[Text, Field(min_length=1, max_length=CONTENT_LIMIT)]
    integration_type: IntegrationType = IntegrationType.WEB
    request_type: Annotated[Text, Field(min_length=1, max_length=100)] = "message"
    integration_context: JsonObject = Field(default_factory=dict)
    user_context: JsonObject = Field(default_factory=dict)
    created_at: datetime = Field(default_factory=clock.now)


class TurnQueued(BaseModel):
    """A turn whose answer comes, or came, as an event."""

    request_id: str
    session_id: str
    status: str
