"""Chooses who understands: the rules alone, or a model with the rules behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from self_service_agent.agent_service.models.opening import Means, OpenModel, open_model
from self_service_agent.agent_service.models.settings import ModelSettings

from .context import Understander
from .llm import LlmUnderstander
from .rules import RulesUnderstander


def understander_of(settings: ModelSettings, model: OpenModel | None, rules: Understander) -> Understander:
    """Return who understands, as the settings want it."""
    if settings.engine == "rules" or model is None:
        return rules
    return LlmUnderstander(model.client, rules, patience=settings.turn_time)


@asynccontextmanager
async def open_understander(
    settings: ModelSettings, means: Means, *, rules: Understander | None = None
) -> AsyncIterator[Understander]:
    """Yield who understands, with the line to the model open."""
    async with open_model(settings, means) as model:
        yield understander_of(settings, model, rules or RulesUnderstander())
