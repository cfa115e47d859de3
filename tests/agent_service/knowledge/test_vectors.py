"""Passages get their vectors in the background, and new ones when another embedder takes over."""

from collections.abc import Sequence

from self_service_agent.agent_service.knowledge.library import Library
from self_service_agent.agent_service.knowledge.service import Knowledge
from self_service_agent.agent_service.knowledge.vectors import VectorWriter, embed_all
from self_service_agent.kit.notifications import Wakeup
from tests.acceptance.house import eventually
from tests.agent_service.knowledge.builders import BADGES, CANTEEN, a_document, a_query, filled

WAITING = "SELECT count(*) FROM knowledge_versions v JOIN knowledge_documents USING (version_id) WHERE embedder IS NULL"


class LetterEmbedder:
    """Compares texts by their letters: enough to tell near from far, and made in no time."""

    dimensions = 384

    def __init__(self, name: str = "letters") -> None:
        self.name = name
        self.embedded: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.embedded += texts
        return [_unit([float(text.lower().count(chr(97 + at % 26))) + 0.01 for at in range(384)]) for text in texts]


async def test_each_passage_is_embedded_once_and_again_for_another_embedder(pool):
    await filled(pool, a_document(), a_document(CANTEEN, name="canteen.md"))
    embedders = [LetterEmbedder(), LetterEmbedder(), LetterEmbedder("other")]

    done = [await embed_all(pool, embedder) for embedder in embedders]

    assert done == [2, 0, 2]
    assert await pool.fetchval("SELECT count(DISTINCT (version_id, ordinal)) FROM knowledge_vectors") == 4


async def test_a_document_that_is_brought_later_is_found_by_meaning_soon(pool):
    embedder, wakeup = LetterEmbedder(), Wakeup()
    library = Library(pool, changed=wakeup.set)

    async def embedded() -> bool:
        return await pool.fetchval(WAITING) == 0

    async with VectorWriter(pool, embedder, wakeup).running():
        await library.add(a_document())
        await eventually(embedded)
    retrieval, found = await Knowledge(pool, lambda: embedder).search(a_query("collect badge at the gate"))

    assert retrieval == "hybrid"
    assert {"words", "meaning"} == set(found[0].hit.found_by)


async def test_a_document_that_is_removed_while_it_is_embedded_stays_removed(pool):
    library = Library(pool)
    await library.add(a_document())

    class RemovingEmbedder(LetterEmbedder):
        async def embed(self, texts: Sequence[str]) -> list[list[float]]:
            await library.add(a_document(BADGES.replace("12", "15")))
            return await super().embed(texts)

    await embed_all(pool, RemovingEmbedder())
    await embed_all(pool, LetterEmbedder())

    assert await pool.fetchval(WAITING) == 0
    assert await pool.fetchval("SELECT count(DISTINCT version_id) FROM knowledge_vectors") == 1


def _unit(vector: list[float]) -> list[float]:
    length = sum(value * value for value in vector) ** 0.5
    return [value / length for value in vector]
