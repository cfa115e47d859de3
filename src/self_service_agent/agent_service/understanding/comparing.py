"""Opens the understander that works by rules, with what this installation has for comparing texts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from self_service_agent.agent_service.definitions.loader import Definitions
from self_service_agent.agent_service.embedding.embedder import Embedder

from .catalogue import catalogue_of
from .rules import RulesUnderstander


@asynccontextmanager
async def open_rules(embedder: Embedder | None, definitions: Definitions) -> AsyncIterator[RulesUnderstander]:
    """Yield the rules; with an embedder they compare meanings as soon as it is loaded and has read the examples."""
    if embedder is None:
        yield RulesUnderstander()
        return
    from .meaning import Meanings  # noqa: PLC0415  # its libraries are an extra

    meanings = Meanings(embedder)
    async with meanings.running():
        meanings.prepare(catalogue_of(definitions.default, definitions))
        yield RulesUnderstander(meanings)
