"""Research in the real documents: every source that answers a part of the question, each passage once."""

from self_service_agent.agent_service.knowledge.library import Library
from self_service_agent.agent_service.research.service import research
from tests.agent_service.knowledge.builders import CANTEEN, a_document, a_query, a_table, filled


async def test_each_part_of_a_question_finds_its_own_source(pool):
    knowledge = await filled(pool, a_document(), a_document(CANTEEN, name="canteen.md"), a_table())

    answer = await research(knowledge, a_query("When is lunch served and what does a lost badge cost?"))

    assert {citation.document for citation in answer.citations} == {"badges.md", "canteen.md"}
    assert len({citation.span for citation in answer.citations}) == len(answer.citations)
    for citation in answer.citations:
        text = await Library(pool).text_of(citation.version)
        assert text[slice(*citation.span)] == citation.text


async def test_what_the_asker_may_not_see_is_no_source(pool):
    hidden = a_document(CANTEEN, name="canteen.md", groups=frozenset({"hr"}))
    knowledge = await filled(pool, a_document(), hidden)

    answer = await research(knowledge, a_query("When is lunch served and what does a lost badge cost?"))

    assert {citation.document for citation in answer.citations} == {"badges.md"}


async def test_nothing_is_found_for_nothing(pool):
    knowledge = await filled(pool, a_document())

    assert (await research(knowledge, a_query("   "))).citations == ()
