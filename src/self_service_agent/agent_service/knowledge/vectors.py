"""Gives passages their vectors, in the background: new ones, and those that another embedder made."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import structlog

from self_service_agent.agent_service.embedding.embedder import Embedder, EmbeddingUnavailable
from self_service_agent.kit.database import DATABASE_TROUBLE, Pool, in_json
from self_service_agent.kit.notifications import Wakeup

from . import repository
from .reading.passages import sentences_of

TOPIC = "knowledge/changed"

_SWEEP = timedelta(seconds=60)
_BATCH = 32
_LONGEST_TEXT = 1_500  # characters: more than the tokens that an encoder reads
# The condition on the id is always true: with it the index is read and not the table, whatever statistics say.
_WANTING = """
    SELECT version_id, title FROM knowledge_versions
    WHERE version_id > $2 AND embedder IS DISTINCT FROM $1 ORDER BY version_id LIMIT 1
"""
_PASSAGES = """
    SELECT p.ordinal, p.heading, p.hints, substr(v.content, p.start_at + 1, p.end_at - p.start_at) AS text
    FROM knowledge_passages p
    CROSS JOIN LATERAL (SELECT content FROM knowledge_versions WHERE version_id = p.version_id LIMIT 1) v
    WHERE p.version_id = $1 ORDER BY p.ordinal
"""
_STORE = """
    INSERT INTO knowledge_vectors (version_id, ordinal, part, embedding)
    SELECT $1, n.ordinal, n.part, n.embedding::vector
    FROM json_to_recordset($2::json) AS n (ordinal integer, part integer, embedding text)
"""

log = structlog.get_logger(__name__)


def written(vector: Sequence[float]) -> str:
    """Return a vector as pgvector reads it."""
    return "[" + ",".join(f"{value:.7g}" for value in vector) + "]"


def parts_of(text: str, *, title: str, heading: str, hints: str) -> list[str]:
    """Return what of a passage is compared with questions: all of it, each sentence under its heading, each hint."""
    about = ". ".join(dict.fromkeys(part for part in (title, heading) if part))
    sentences = [text[start:end] for start, end in sentences_of(text)]
    single = [f"{heading or title}: {sentence}"[:_LONGEST_TEXT] for sentence in sentences] if len(sentences) > 1 else []
    return [f"{about}. {text}"[:_LONGEST_TEXT], *single, *(line for line in hints.splitlines() if line)]


async def embed_all(pool: Pool, embedder: Embedder) -> int:
    """Give every version the vectors of `embedder` that has none of it; return how many versions that were."""
    done = 0
    after = ""
    while (version := await pool.fetchrow(_WANTING, embedder.name, after)) is not None:
        after = version["version_id"]
        await _embed_version(pool, embedder, version)
        done += 1
    return done


class VectorWriter:
    """Writes vectors for as long as it runs, whenever a document has changed, and once the embedder is there."""

    def __init__(self, pool: Pool, embedder: Embedder | None, wakeup: Wakeup) -> None:
        self._pool = pool
        self._embedder = embedder
        self._wakeup = wakeup

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write, where there is an embedder and a place for its vectors; where there is not, do nothing."""
        if self._embedder is None or not await repository.has_vectors(self._pool):
            yield
            return
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write_for_ever(self._embedder))
            try:
                yield
            finally:
                writing.cancel()

    async def _write_for_ever(self, embedder: Embedder) -> None:
        while True:
            try:
                if done := await embed_all(self._pool, embedder):
                    log.info("knowledge.embedded", versions=done, embedder=embedder.name)
            except EmbeddingUnavailable as error:
                log.warning("knowledge.embedder_unavailable", error=str(error))
                return
            except DATABASE_TROUBLE as error:
                log.warning("knowledge.not_embedded", error=str(error))
            await self._wakeup.wait(sweep=_SWEEP)


async def _embed_version(pool: Pool, embedder: Embedder, version: asyncpg.Record) -> None:
    """Compute all vectors of a version, then exchange them in one transaction; one that is gone by then stays gone."""
    passages = await pool.fetch(_PASSAGES, version["version_id"])
    parts = [
        (passage["ordinal"], part, text)
        for passage in passages
        for part, text in enumerate(_parts(version["title"], passage))
    ]
    vectors: list[dict[str, object]] = []
    for start in range(0, len(parts), _BATCH):
        batch = parts[start : start + _BATCH]
        for (ordinal, part, _), vector in zip(batch, await embedder.embed([text for *_, text in batch]), strict=True):
            vectors.append({"ordinal": ordinal, "part": part, "embedding": written(vector)})
    async with pool.acquire() as connection, connection.transaction():
        version_id = version["version_id"]
        # Whoever exchanges the document waits for this, or has taken its passages away already.
        kept = await connection.fetch(
            "SELECT ordinal FROM knowledge_passages WHERE version_id = $1 FOR SHARE", version_id
        )
        await connection.execute("DELETE FROM knowledge_vectors WHERE version_id = $1", version_id)
        if len(kept) == len(passages):
            await connection.execute(_STORE, version_id, in_json(vectors))
        await connection.execute(
            "UPDATE knowledge_versions SET embedder = $2 WHERE version_id = $1", version_id, embedder.name
        )


def _parts(title: str, passage: asyncpg.Record) -> list[str]:
    return parts_of(passage["text"], title=title, heading=passage["heading"], hints=passage["hints"])
