"""How alike in meaning a message and the examples of a catalogue are, by their vectors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from numpy.typing import NDArray

from self_service_agent.agent_service.embedding.embedder import Embedder, EmbeddingUnavailable

from .catalogue import Catalogue, Entry
from .lexicon import Match

_Vectors = NDArray[np.float32]


class Meanings:
    """Compares meanings; the vectors of a catalogue's examples are made once, in the background."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._examples: dict[str, asyncio.Task[_Vectors]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work until the end of the block, and leave nothing behind."""
        try:
            yield
        finally:
            for task in self._examples.values():
                task.cancel()
            await asyncio.gather(*self._examples.values(), return_exceptions=True)

    def prepare(self, catalogue: Catalogue) -> "asyncio.Task[_Vectors]":
        """Have the vectors of the examples made, unless they are there or on their way."""
        if catalogue.digest not in self._examples:
            texts = [text for _, text in catalogue.examples]
            self._examples[catalogue.digest] = asyncio.create_task(self._vectors(texts))
            self._examples[catalogue.digest].add_done_callback(_retrieved)
        return self._examples[catalogue.digest]

    async def matches(self, text: str, catalogue: Catalogue) -> list[Match[Entry]] | None:
        """Return how like each entry is: 1 is the same meaning; None while that cannot be told."""
        examples = self.prepare(catalogue)
        if not examples.done() or examples.cancelled() or examples.exception() is not None:
            return None
        try:
            message = await self._vectors([text])
        except EmbeddingUnavailable:
            return None
        likenesses: dict[Entry, list[float]] = {}
        scores: list[float] = (examples.result() @ message[0]).tolist() if catalogue.examples else []
        for (entry, _), likeness in zip(catalogue.examples, scores, strict=True):
            likenesses.setdefault(entry, []).append(likeness)
        return [Match(entry, _score(found)) for entry, found in likenesses.items()]

    async def _vectors(self, texts: list[str]) -> _Vectors:
        return np.array(await self._embedder.embed(texts), np.float32)


def _score(likenesses: list[float]) -> float:
    """Return the likeness of the best example, held down by the second best: one alone may be chance."""
    best = sorted(likenesses, reverse=True)[:2]
    return (best[0] + sum(best) / len(best)) / 2


def _retrieved(task: "asyncio.Task[_Vectors]") -> None:
    """Look at the outcome, which is asked for with each message; unseen, it would be logged as forgotten."""
    if not task.cancelled():
        task.exception()
