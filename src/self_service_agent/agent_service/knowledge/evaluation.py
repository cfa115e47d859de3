"""How well questions are answered: asked as people ask them, and compared with the document and the value expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from self_service_agent.agent_service.definitions.models import AgentDefinition

from .answers import Answer, Found, Query
from .defined import scope_of, synonyms_of
from .library import Library
from .rules import Retrieval
from .service import Knowledge

_TOP = 3

# What an installation with the embedder has to reach; by words alone less can be asked.
GOALS: Final = {"hit_at_3": 0.9, "refused_rightly": 0.9, "exact_citations": 1.0}


class Question(BaseModel):
    """`document` is where the answer stands and `says` a part of it; without them no document has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: str
    document: str | None = None
    says: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One question, asked: `place` is the rank of the passage that has the value, 0 if none of those found has it."""

    question: Question
    place: int
    answered: bool
    right: bool
    exact: bool


@dataclass(frozen=True, kw_only=True)
class Report:
    """Shares of all answerable, or of all unanswerable questions, 0 to 1."""

    retrieval: Retrieval
    hit_at_3: float
    mrr: float
    answered_rightly: float
    refused_rightly: float
    exact_citations: float
    outcomes: tuple[Outcome, ...]

    @property
    def reaches_goals(self) -> bool:
        return all(getattr(self, name) >= goal for name, goal in GOALS.items())


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a YAML file."""
    return TypeAdapter(list[Question]).validate_python(yaml.safe_load(path.read_text("utf-8")))


async def evaluate(
    knowledge: Knowledge, library: Library, agents: Sequence[AgentDefinition], *, questions: Sequence[Question]
) -> Report:
    """Ask every question of these agents' documents."""
    scope, synonyms = scope_of(agents, reader=None), synonyms_of(agents)
    outcomes = []
    for question in questions:
        query = Query(text=question.ask, scope=scope, synonyms=synonyms)
        _, found = await knowledge.search(query)
        outcomes.append(await _outcome(question, found, await knowledge.answer(query), library=library))
    answerable = [each for each in outcomes if each.question.document]
    unanswerable = [each for each in outcomes if not each.question.document]
    return Report(
        retrieval=await knowledge.retrieval(),
        hit_at_3=_share([0 < each.place <= _TOP for each in answerable]),
        mrr=_share([1 / each.place if each.place else 0.0 for each in answerable]),
        answered_rightly=_share([each.right for each in answerable]),
        refused_rightly=_share([not each.answered for each in unanswerable]),
        exact_citations=_share([each.exact for each in outcomes]),
        outcomes=tuple(outcomes),
    )


async def _outcome(question: Question, found: Sequence[Found], answer: Answer, *, library: Library) -> Outcome:
    places = [
        place
        for place, each in enumerate(found, start=1)
        if each.citation.document == question.document and question.says in each.citation.text
    ]
    exact = [(await library.text_of(each.version) or "")[slice(*each.span)] == each.text for each in answer.citations]
    return Outcome(
        question=question,
        place=places[0] if places else 0,
        answered=bool(answer.citations),
        right=any(each.document == question.document and question.says in each.text for each in answer.citations),
        exact=all(exact),
    )


def _share(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 3) if values else 1.0
