"""Asks the documents one question in several ways, and keeps every source that answers any of them."""

from dataclasses import replace
from typing import Protocol

from self_service_agent.agent_service.knowledge.answers import Answer, Citation, Query

from .rules import questions_of


class Sources(Protocol):
    """Finds the best quote of each document."""

    async def sources(self, query: Query) -> Answer:
        """Return a quote of each document that answers a question."""
        ...


async def research(documents: Sources, query: Query) -> Answer:
    """Return the quotes that answer a question or a part of it, each passage once and in the order of their finding."""
    found: dict[tuple[str, tuple[int, int]], Citation] = {}
    answer = Answer(retrieval="lexical")
    for question in questions_of(query.text):
        answer = await documents.sources(replace(query, text=question))
        for citation in answer.citations:
            found.setdefault((citation.version, citation.span), citation)
    return Answer(retrieval=answer.retrieval, citations=tuple(found.values()))
