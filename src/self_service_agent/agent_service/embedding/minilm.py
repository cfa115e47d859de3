"""The embedder that the product comes with: MiniLM, loaded in the background, on threads of its own."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from .embedder import EmbeddingUnavailable

if TYPE_CHECKING:
    from .encoder import Encoder

State = Literal["loading", "ready", "failed"]

log = structlog.get_logger(__name__)

_BATCH = 16
_REMEMBERED = 2_048
_LONGEST_REMEMBERED = 200
_LONGEST_TEXT = 8_000
"""Characters; 256 tokens are never more than that."""


class MiniLm:
    """Makes vectors from the moment it is loaded; who asks before that waits."""

    name = "all-MiniLM-L6-v2"
    dimensions = 384

    def __init__(self, folder: Path, *, threads: int = 2) -> None:
        self._folder = folder
        self._threads = threads
        # The second one is for the short texts of people while the first works through documents.
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="embedding")
        self._loading: asyncio.Future[Encoder] | None = None
        self._remembered: OrderedDict[str, list[float]] = OrderedDict()
        self.problem: str | None = None

    @property
    def state(self) -> State:
        """Whether vectors can be had at once, later, or never; `problem` says why never."""
        if self.problem is not None:
            return "failed"
        return "ready" if self._loading is not None and self._loading.done() else "loading"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load in the background; at the end, wait for what is being computed."""
        loading = asyncio.ensure_future(self._encoder())
        loading.add_done_callback(_retrieved)
        try:
            yield
        finally:
            await asyncio.wait([loading])
            self._pool.shutdown()

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text, or raise `EmbeddingUnavailable`."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._remembered]
        found = {text: self._remembered[text] for text in texts if text in self._remembered}
        encoder = await self._encoder()
        # Texts of like length together: all of a batch are padded to its longest.
        missing.sort(key=len)
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            cut = [text[:_LONGEST_TEXT] for text in batch]
            vectors = await asyncio.get_running_loop().run_in_executor(self._pool, encoder.vectors_of, cut)
            found |= dict(zip(batch, vectors, strict=True))
        self._remember(found)
        return [found[text] for text in texts]

    async def _encoder(self) -> "Encoder":
        if self._loading is None:
            loop = asyncio.get_running_loop()
            self._loading = asyncio.ensure_future(loop.run_in_executor(self._pool, self._load))
        return await asyncio.shield(self._loading)

    def _load(self) -> "Encoder":
        from .encoder import Encoder  # noqa: PLC0415  # its libraries are an extra, and slow to import

        try:
            encoder = Encoder(self._folder, threads=self._threads)
        except EmbeddingUnavailable as error:
            self.problem = str(error)
            log.warning("embedding.unavailable", reason=self.problem)
            raise
        except Exception as error:
            self.problem = f"the sentence encoder cannot be loaded: {type(error).__name__}"
            log.exception("embedding.unavailable")
            raise EmbeddingUnavailable(self.problem) from error
        log.info("embedding.ready", model=self.name)
        return encoder

    def _remember(self, found: dict[str, list[float]]) -> None:
        for text, vector in found.items():
            if len(text) <= _LONGEST_REMEMBERED:
                self._remembered[text] = vector
                self._remembered.move_to_end(text)
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)


def _retrieved(loading: "asyncio.Future[Encoder]") -> None:
    """Look at the outcome, which whoever embeds will hear of; unseen, it would be logged as forgotten."""
    if not loading.cancelled():
        loading.exception()
