"""Questions on their way to the documents, and what answers them, as the engine sees it: one verb."""

from dataclasses import dataclass
from typing import Protocol

from self_service_agent.agent_service.knowledge.answers import Answer, Query
from self_service_agent.agent_service.understanding.commands import CannotHandle


class Knowledge(Protocol):
    """Answers questions from documents."""

    async def answer(self, query: Query) -> Answer:
        """Return quotes, or none if nothing is good enough; what it raises is a fault of ours."""
        ...

    async def sources(self, query: Query) -> Answer:
        """Return the best quote of each document that answers a question."""
        ...


@dataclass(frozen=True, kw_only=True)
class PendingQuestion:
    """A question on its way to the documents: of a person, of a step, or of a message nothing else was made of."""

    query: Query
    otherwise: CannotHandle | None = None
    is_of_step: bool = False
    is_research: bool = False
