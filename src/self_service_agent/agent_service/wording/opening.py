"""Chooses who words: the definitions alone, or a model that rewords them."""

from datetime import timedelta

from self_service_agent.agent_service.models.opening import OpenModel
from self_service_agent.agent_service.models.settings import ModelSettings

from .service import ModelWording


def wording_of(settings: ModelSettings, model: OpenModel | None) -> ModelWording | None:
    """Return who rewords replies, or None if they are said as they are written."""
    if settings.wording == "templates" or model is None:
        return None
    return ModelWording(model.client, patience=timedelta(seconds=settings.llm_timeout_seconds))
