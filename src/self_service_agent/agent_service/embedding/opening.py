"""Opens the embedder of this installation, if it has one, and says of itself which it is."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI

from self_service_agent.kit.health import health_of
from self_service_agent.kit.service import Service

from .embedder import INSTALL
from .minilm import MiniLm
from .settings import EmbeddingSettings
from .weights import find_weights


def open_embedder(settings: EmbeddingSettings) -> MiniLm | None:
    """Return the embedder, which loads when it is first needed or `running()`; None if it is off or not installed."""
    folder = find_weights() if settings.embeddings == "auto" else None
    return MiniLm(folder, threads=settings.embedding_threads) if folder is not None else None


def embedding_service(embedder: MiniLm | None) -> Service:
    """Return what loads the embedder while the others start, and tells in /health how texts are compared."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        health_of(app).facts.append(partial(embedding_facts, embedder))
        if embedder is None:
            yield
            return
        async with embedder.running():
            yield

    return Service(name="embedding", open=run)


async def embedding_facts(embedder: MiniLm | None) -> Mapping[str, Any]:
    """Return what /health says: by what texts are compared, and if only by their words, why."""
    if embedder is None:
        return {"embeddings": {"texts_compared_by": "lexical", "hint": f"to compare meanings as well: {INSTALL}"}}
    if embedder.state == "ready":
        return {"embeddings": {"texts_compared_by": "embeddings", "model": embedder.name}}
    hint = embedder.problem or f"{embedder.name} is being loaded"
    return {"embeddings": {"texts_compared_by": "lexical", "hint": hint}}
