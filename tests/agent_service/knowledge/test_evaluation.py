"""A hundred and twenty questions as people ask them: found, quoted exactly, and refused where nobody knows."""

import pytest

from self_service_agent.agent_service.embedding.opening import open_embedder
from self_service_agent.agent_service.embedding.settings import EmbeddingSettings
from self_service_agent.agent_service.knowledge.evaluation import GOALS, evaluate, read_questions
from self_service_agent.agent_service.knowledge.library import Library
from self_service_agent.agent_service.knowledge.service import Knowledge
from self_service_agent.agent_service.knowledge.vectors import embed_all
from self_service_agent.evaluation.files import evaluations_folder
from tests.agent_service.flows.conversation import shipped

QUESTIONS = evaluations_folder() / "knowledge" / "questions.yaml"


def test_a_quarter_of_the_questions_has_no_answer_and_every_other_one_stands_in_its_document():
    questions = read_questions(QUESTIONS)
    documents = {name: document for agent in shipped() for name, document in agent.knowledge.items()}

    assert len(questions) == len({question.ask for question in questions}) == 120
    assert sum(question.document is None for question in questions) == 30
    assert [each.ask for each in questions if each.document and each.says not in documents[each.document].text] == []


async def test_by_words_alone_citations_are_exact_and_refusals_right(pool):
    library, agents = Library(pool), list(shipped())
    await library.keep(agents)

    report = await evaluate(Knowledge(pool), library, agents, questions=read_questions(QUESTIONS))

    assert report.retrieval == "lexical"
    assert report.exact_citations == 1
    assert report.refused_rightly >= GOALS["refused_rightly"]
    assert report.hit_at_3 >= 0.6


async def test_with_the_embedder_the_goals_are_reached(pool):
    embedder = open_embedder(EmbeddingSettings())
    if embedder is None:
        pytest.skip("the extra `embed` is not installed")
    library, agents = Library(pool), list(shipped())
    await library.keep(agents)
    async with embedder.running():
        versions = await embed_all(pool, embedder)
        again = await embed_all(pool, embedder)
        report = await evaluate(Knowledge(pool, lambda: embedder), library, agents, questions=read_questions(QUESTIONS))

    assert (versions > 0, again) == (True, 0)
    assert report.retrieval == "hybrid"
    assert {name: getattr(report, name) for name in GOALS if getattr(report, name) < GOALS[name]} == {}
