"""Chooses who words: the definitions alone, or a model that rewords them."""

from datetime import timedelta

from self_service_agent.agent_service.guards.moderation.client import Moderator
from self_service_agent.agent_service.models.opening import OpenModel
from self_service_agent.agent_service.models.settings import ModelSettings

from .moderated import ModeratedWording
from .service import ModelWording, Wording


def wording_of(
    settings: ModelSettings, model: OpenModel | None, *, moderator: Moderator | None = None
) -> Wording | None:
    """Return who rewords replies, or None if they are said as they are written."""
    if settings.wording == "templates" or model is None:
        return None
    wording = ModelWording(model.client, patience=timedelta(seconds=settings.llm_timeout_seconds))
    return wording if moderator is None else ModeratedWording(wording, moderator)
