"""Documents are kept in versions; readers see the old one or the new one, and nothing is written twice."""

import asyncio

import pytest

from self_service_agent.agent_service.knowledge.library import DocumentNotFound, Library
from self_service_agent.agent_service.knowledge.reading.outcome import UnreadableDocument
from self_service_agent.agent_service.knowledge.service import Knowledge
from tests.agent_service.knowledge.builders import BADGES, a_document, a_query, a_table, filled, quotes

TABLES = ("documents", "versions", "passages", "rows", "vectors")


async def counts(pool):
    return {name: await pool.fetchval(f"SELECT count(*) FROM knowledge_{name}") for name in TABLES}  # noqa: S608  # our own names


async def writes(pool):
    """Return how many rows the transactions so far have written."""
    return await pool.fetch("SELECT document_id, version_id, updated_at, xmin::text FROM knowledge_documents")


@pytest.mark.parametrize(
    ("changes", "change"),
    [
        pytest.param({}, "unchanged", id="nothing"),
        pytest.param({"content": BADGES.replace("12", "15")}, "changed", id="its text"),
        pytest.param({"title": "All about badges"}, "changed", id="its title"),
        pytest.param({"groups": frozenset({"staff"})}, "moved", id="who finds it"),
        pytest.param({"url": "https://intranet.example/badges"}, "moved", id="where the original is"),
        pytest.param({"name": "other.md"}, "added", id="its name"),
    ],
)
async def test_only_what_changed_is_written(pool, changes, change):
    library = Library(pool)
    first = await library.add(a_document())
    before = await writes(pool)

    second = await library.add(a_document(**changes))

    assert (first.change, second.change) == ("added", change)
    assert (await writes(pool) == before) is (change == "unchanged")


async def test_a_new_version_takes_the_place_of_the_old_one_which_can_still_be_checked(pool):
    knowledge = await filled(pool, a_document())
    (before,) = (await knowledge.answer(a_query("What does a new badge cost?"))).citations

    await Library(pool).add(a_document(BADGES.replace("12 euros", "15 euros")))
    (after,) = (await knowledge.answer(a_query("What does a new badge cost?"))).citations

    assert "12 euros" in before.text
    assert "15 euros" in after.text
    for citation in (before, after):
        text = await Library(pool).text_of(citation.version)
        assert text[slice(*citation.span)] == citation.text


async def test_a_removed_document_leaves_nothing_behind(pool):
    knowledge = await filled(pool, a_document(), a_table())

    for name in ("badges.md", "offices.csv"):
        await Library(pool).remove(base="office", name=name)

    assert await counts(pool) == dict.fromkeys(TABLES, 0)
    assert quotes(await knowledge.answer(a_query("What does a new badge cost?"))) == []
    with pytest.raises(DocumentNotFound, match="no document badges"):
        await Library(pool).remove(base="office", name="badges.md")


async def test_a_file_that_cannot_be_read_leaves_the_version_before_it_in_place(pool):
    knowledge = await filled(pool, a_document())
    before = await counts(pool)

    with pytest.raises(UnreadableDocument):
        await Library(pool).add(a_document("a\x00b"))

    assert await counts(pool) == before
    assert "12 euros" in "".join(quotes(await knowledge.answer(a_query("What does a new badge cost?"))))


async def test_many_who_bring_the_same_document_at_once_leave_one(pool):
    stored = await asyncio.gather(*(Library(pool).add(a_document()) for _ in range(8)))

    assert sorted(each.change for each in stored) == ["added", *["unchanged"] * 7]
    assert (await counts(pool))["versions"] == 1


async def test_readers_always_find_one_of_the_versions(pool):
    knowledge, library = await filled(pool, a_document()), Library(pool)
    seen = []

    async def look():
        for _ in range(15):
            seen.extend(quotes(await knowledge.answer(a_query("What does a new badge cost?"))) or ["nothing"])

    async def exchange():
        for price in range(20, 30):
            await library.add(a_document(BADGES.replace("12 euros", f"{price} euros")))

    await asyncio.gather(look(), look(), exchange())

    assert len(seen) == 30
    assert "nothing" not in seen


async def test_without_pgvector_answers_come_by_words(pool):
    await pool.execute("DROP TABLE knowledge_vectors")
    knowledge = Knowledge(pool)
    await Library(pool).add(a_document())

    answer = await knowledge.answer(a_query("What does a new badge cost?"))

    assert answer.retrieval == "lexical"
    assert "12 euros" in answer.citations[0].text
