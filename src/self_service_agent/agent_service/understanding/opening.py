"""Chooses who understands: the rules alone, or a model with the rules behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from self_service_agent.agent_service.guards.moderation.client import Moderator
from self_service_agent.agent_service.models.opening import Means, OpenModel, open_model
from self_service_agent.agent_service.models.settings import ModelSettings

from .context import Understander
from .llm import LlmUnderstander
from .moderated import ModeratedUnderstander
from .rules import RulesUnderstander


def understander_of(
    settings: ModelSettings, model: OpenModel | None, rules: Understander, *, moderator: Moderator | None = None
) -> Understander:
    """Return who understands, as the settings want it, and only what the moderator lets through if there is one."""
    inner = rules
    if settings.engine == "llm" and model is not None:
        inner = LlmUnderstander(model.client, rules, patience=settings.turn_time)
    return inner if moderator is None else ModeratedUnderstander(inner, moderator)


@asynccontextmanager
async def open_understander(
    settings: ModelSettings, means: Means, *, rules: Understander | None = None
) -> AsyncIterator[Understander]:
    """Yield who understands, with the line to the model open."""
    async with open_model(settings, means) as model:
        yield understander_of(settings, model, rules or RulesUnderstander())
