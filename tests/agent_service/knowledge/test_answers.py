"""Questions are answered with quotes that stand where they say, by those who may see them, or not at all."""

import pytest

from self_service_agent.agent_service.knowledge import repository
from self_service_agent.agent_service.knowledge.library import Library
from tests.agent_service.knowledge.builders import CANTEEN, a_document, a_query, a_table, filled, quotes

LUNCH = a_document(CANTEEN, name="canteen.md")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        pytest.param("When is lunch served?", "11:30", id="a section"),
        pytest.param("i lost my badge", "12 euros", id="as people write"),
        pytest.param("Where do I collect a badge?", "gate 4", id="another section"),
    ],
)
async def test_a_question_is_answered_with_a_quote(pool, question, said):
    knowledge = await filled(pool, a_document(), LUNCH)

    answer = await knowledge.answer(a_query(question))

    assert said in answer.citations[0].text
    for citation in answer.citations:
        text = await Library(pool).text_of(citation.version)
        assert text[slice(*citation.span)] == citation.text


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("How do I book a meeting room?", id="another topic"),
        pytest.param("the and of", id="nothing but small words"),
        pytest.param("", id="nothing"),
        pytest.param("'); DROP TABLE knowledge_documents; -- | & ! <-> :* \\", id="an attack"),
    ],
)
async def test_what_is_in_no_document_is_not_answered(pool, question):
    knowledge = await filled(pool, a_document(), LUNCH)

    assert quotes(await knowledge.answer(a_query(question))) == []


@pytest.mark.parametrize(
    ("shown", "asking", "found"),
    [
        pytest.param({}, {}, True, id="for everybody"),
        pytest.param({"groups": frozenset({"hr"})}, {}, False, id="for a group, somebody outside"),
        pytest.param({"groups": frozenset({"hr"})}, {"groups": frozenset({"it"})}, False, id="another group"),
        pytest.param({"groups": frozenset({"hr", "it"})}, {"groups": frozenset({"it"})}, True, id="one of its groups"),
        pytest.param({"regions": frozenset({"EMEA"})}, {}, False, id="a region, nobody knows where from"),
        pytest.param({"regions": frozenset({"EMEA"})}, {"regions": frozenset({"EMEA"})}, True, id="their region"),
        pytest.param({"base": "kitchen"}, {}, False, id="another base"),
        pytest.param(
            {"groups": frozenset({"hr"}), "regions": frozenset({"EMEA"})}, {"groups": frozenset({"hr"})}, False,
            id="a group and a region, only one of them theirs",
        ),
    ],
)  # fmt: skip
async def test_nobody_finds_even_the_title_of_what_is_not_for_them(pool, shown, asking, *, found):
    knowledge = await filled(pool, a_document(CANTEEN, name="canteen.md", **shown))
    query = a_query("When is lunch served?", **asking)

    _, listed = await knowledge.search(query)

    assert bool(listed) is found
    assert bool(quotes(await knowledge.answer(query))) is found


@pytest.mark.parametrize(
    ("question", "cities"),
    [
        pytest.param("list all our offices", ["Oslo", "Rome", "Lima", "Pune"], id="all of them"),
        pytest.param("Which offices are there in EMEA?", ["Oslo", "Rome"], id="those of a region"),
        pytest.param("offices in latam or apac", ["Lima", "Pune"], id="those of either"),
        pytest.param("how many floors has the office in Oslo", ["Oslo"], id="one of them"),
    ],
)
async def test_a_question_about_a_table_lists_every_row_that_it_is_about(pool, question, cities):
    knowledge = await filled(pool, a_table(), a_document())

    answer = await knowledge.answer(a_query(question))

    assert answer.is_table
    assert [citation.text.partition(";")[0] for citation in answer.citations] == [f"city: {city}" for city in cities]


async def test_a_table_is_listed_to_its_last_row(pool):
    rows = "\n".join(f"model-{number},laptop" for number in range(500))
    knowledge = await filled(pool, a_table(f"model,sort\n{rows}", title="All models"))

    answer = await knowledge.answer(a_query("list all models"))

    assert len(answer.citations) == 500


async def test_a_long_passage_is_quoted_in_part(pool):
    filler = " ".join(f"Rule {number} is about something else entirely." for number in range(12))
    long = f"# Rules\n\n## Parking\n{filler} Bicycles stand in the yard behind gate 7. {filler}"
    knowledge = await filled(pool, a_document(long))

    (citation,) = (await knowledge.answer(a_query("Where do bicycles stand?"))).citations

    assert "gate 7" in citation.text
    assert len(citation.text) < 200
    assert (await Library(pool).text_of(citation.version))[slice(*citation.span)] == citation.text


@pytest.mark.parametrize(
    ("statement", "vector"),
    [
        pytest.param(repository.BY_WORDS, (), id="by words"),
        pytest.param(repository.WITH_VECTORS, (f"[{','.join(['0.05'] * 384)}]",), id="with vectors"),
    ],
)
async def test_a_search_reads_no_table_as_a_whole(pool, statement, vector):
    plan = await pool.fetch(f"EXPLAIN {statement}", [], ["office"], [], [], ["'badge'"], "nobody", *vector)

    assert [line for (line,) in plan if "Seq Scan on knowledge" in line] == []
