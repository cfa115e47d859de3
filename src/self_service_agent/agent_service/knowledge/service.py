"""Answers questions from documents, with quotes, or says that nothing was found."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from self_service_agent.agent_service.embedding.embedder import Embedder, EmbeddingUnavailable
from self_service_agent.kit.database import Pool

from . import repository
from .answers import Answer, Citation, Found, Query
from .retrieval.listing import filters_in, selected
from .retrieval.quoting import quote
from .rules import Candidate, Hit, Retrieval, Thresholds, concepts_in, fused, margin
from .vectors import written

THRESHOLDS = Thresholds()
FOUND_LIMIT = 8

log = structlog.get_logger(__name__)


class Knowledge:
    """`embedder` returns the embedder once it is ready, and None while or where there is none."""

    def __init__(
        self,
        pool: Pool,
        embedder: Callable[[], Embedder | None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._embedder = embedder
        self._has_vectors: bool | None = None

    async def answer(self, query: Query) -> Answer:
        """Return the quotes that answer a question, or none if nothing fits well enough."""
        if query.section is not None and (named := await repository.section(self._pool, *query.section)):
            cited = await self._cited(named)
            return Answer(retrieval=await self.retrieval(), citations=tuple(cited.values()))
        retrieval, hits = await self._search(query)
        margins = {hit.candidate: margin(hit.candidate, THRESHOLDS, is_guess=query.is_guess) for hit in hits}
        best = max(margins, key=lambda candidate: margins[candidate], default=None)
        if best is None or margins[best] < 0:
            return Answer(retrieval=retrieval)
        if best.kind == "table":
            return Answer(retrieval=retrieval, citations=await self._listed(best, query), is_table=True)
        cited = await self._cited([best])
        citations = tuple(_narrowed(citation, query.text) for citation in cited.values())
        return Answer(retrieval=retrieval, citations=citations)

    async def sources(self, query: Query) -> Answer:
        """Return the best quote of each document that answers a question, the best one first."""
        retrieval, hits = await self._search(query)
        margins = {hit.candidate: margin(hit.candidate, THRESHOLDS, is_guess=query.is_guess) for hit in hits}
        best: dict[str, Candidate] = {}
        for candidate in sorted(margins, key=lambda candidate: -margins[candidate]):
            if margins[candidate] >= 0:
                best.setdefault(candidate.version_id, candidate)
        cited = await self._cited(list(best.values()))
        citations = tuple(_narrowed(citation, query.text) for citation in cited.values())
        return Answer(retrieval=retrieval, citations=citations)

    async def search(self, query: Query, *, limit: int = FOUND_LIMIT) -> tuple[Retrieval, list[Found]]:
        """Return the best passages for a question, good enough or not, and how they were found."""
        retrieval, hits = await self._search(query)
        cited = await self._cited([hit.candidate for hit in hits[:limit]])
        return retrieval, [
            Found(hit=hit, citation=citation, is_answer=margin(hit.candidate, THRESHOLDS) >= 0)
            for hit in hits[:limit]
            if (citation := cited.get((hit.candidate.version_id, hit.candidate.start))) is not None
        ]

    async def retrieval(self) -> Retrieval:
        """Return how passages are found at this moment."""
        return "lexical" if self._embedder() is None or not await self._keeps_vectors() else "hybrid"

    async def _search(self, query: Query) -> tuple[Retrieval, list[Hit]]:
        vector = await self._vector_of(query.text)
        candidates = await repository.search(
            self._pool, concepts_in(query.text, query.synonyms), query.scope, vector=vector
        )
        return "lexical" if vector is None else "hybrid", fused(candidates, limit=FOUND_LIMIT)

    async def _vector_of(self, text: str) -> str | None:
        """Return the question's vector; None where there are none, and words have to do."""
        embedder = self._embedder()
        if embedder is None or not await self._keeps_vectors():
            return None
        try:
            (vector,) = await embedder.embed([text])
        except EmbeddingUnavailable as error:
            log.warning("knowledge.embedder_unavailable", error=str(error))
            return None
        return written(vector)

    async def _keeps_vectors(self) -> bool:
        if self._has_vectors is None:
            self._has_vectors = await repository.has_vectors(self._pool)
        return self._has_vectors

    async def _listed(self, table: Candidate, query: Query) -> tuple[Citation, ...]:
        """Return every row that the question is about, each as a quote."""
        rows = await repository.rows_of(self._pool, table.version_id)
        chosen = selected(rows, filters_in(query.text, rows))
        at = [replace(table, start=row.start, end=row.end) for row in chosen]
        return tuple((await self._cited(at)).values())

    async def _cited(self, candidates: Sequence[Candidate]) -> dict[tuple[str, int], Citation]:
        texts = await repository.texts_of(self._pool, candidates)
        return {
            key: Citation(
                document=row["name"],
                version=each.version_id,
                title=row["title"],
                heading=each.heading,
                span=(each.start, each.end),
                text=row["text"],
                url=row["url"],
            )
            for each in candidates
            if (row := texts.get(key := (each.version_id, each.start))) is not None
        }


def _narrowed(citation: Citation, question: str) -> Citation:
    start, end = quote(citation.text, question)
    at = citation.span[0]
    return replace(citation, span=(at + start, at + end), text=citation.text[start:end])
