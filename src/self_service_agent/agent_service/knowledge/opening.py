"""Opens what answers questions, and keeps its vectors up to date while it is open."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from self_service_agent.agent_service.definitions.models import AgentDefinition
from self_service_agent.agent_service.embedding.embedder import Embedder
from self_service_agent.kit.database import Pool
from self_service_agent.kit.notifications import Notifier

from .library import Library
from .service import Knowledge
from .vectors import TOPIC, VectorWriter


class LoadingEmbedder(Embedder, Protocol):
    """An embedder that may still be on its way; nobody who asks a question waits for it."""

    @property
    def state(self) -> str: ...


def ready(embedder: LoadingEmbedder | None) -> Callable[[], Embedder | None]:
    """Return what gives the embedder as soon as it is loaded."""
    return lambda: embedder if embedder is not None and embedder.state == "ready" else None


def library_of(pool: Pool, notifier: Notifier) -> Library:
    """Return the library whose changes every process hears of."""
    return Library(pool, changed=lambda: notifier.notify(TOPIC))


@asynccontextmanager
async def open_knowledge(
    pool: Pool, notifier: Notifier, definitions: Iterable[AgentDefinition], *, embedder: LoadingEmbedder | None
) -> AsyncIterator[Knowledge]:
    """Yield what answers from the documents of these definitions, and from all that people have brought."""
    await library_of(pool, notifier).keep(definitions)
    async with VectorWriter(pool, embedder, notifier.wakeup(TOPIC)).running():
        yield Knowledge(pool, ready(embedder))


async def knowledge_facts(knowledge: Knowledge) -> Mapping[str, Any]:
    """Return what /health says: how passages are found."""
    return {"knowledge": {"retrieval": await knowledge.retrieval()}}
