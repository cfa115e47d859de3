"""With the sentence encoder, people may say it in their own words; without it, or until it is ready, words decide."""

from datetime import date

import pytest

from self_service_agent.agent_service.app import shipped_agents
from self_service_agent.agent_service.definitions.loader import load_definitions
from self_service_agent.agent_service.embedding.embedder import EmbeddingUnavailable
from self_service_agent.agent_service.embedding.minilm import MiniLm
from self_service_agent.agent_service.embedding.weights import find_weights
from self_service_agent.agent_service.understanding.catalogue import catalogue_of
from self_service_agent.agent_service.understanding.commands import Affirm, AskKnowledge, CannotHandle, StartFlow
from self_service_agent.agent_service.understanding.context import UnderstandingContext
from self_service_agent.agent_service.understanding.meaning import Meanings
from self_service_agent.agent_service.understanding.rules import RulesUnderstander

DEFINITIONS = load_definitions(shipped_agents())
CATALOGUE = catalogue_of(DEFINITIONS.default, DEFINITIONS)
CONTEXT = UnderstandingContext(catalogue=CATALOGUE, today=date(2026, 11, 20))
REFRESH = StartFlow("laptop-refresh-agent", "laptop_refresh")


@pytest.fixture
async def rules():
    embedder = MiniLm(find_weights())
    async with embedder.running():
        meanings = Meanings(embedder)
        async with meanings.running():
            await meanings.prepare(CATALOGUE)
            yield RulesUnderstander(meanings)


async def test_what_shares_no_word_with_an_example_is_understood_by_its_meaning(rules):
    text = "could you sort me out with a replacement computer"

    understanding = await rules.understand(text, CONTEXT)

    assert (understanding.commands, understanding.compared_by) == ((REFRESH,), "embeddings")


async def test_what_is_only_likely_is_asked_for_and_not_done(rules):
    understanding = await rules.understand("battery lasts ten minutes, can it be exchanged for a new model", CONTEXT)

    (command,) = understanding.commands
    assert isinstance(command, CannotHandle)
    assert REFRESH in command.guesses


@pytest.mark.parametrize(
    "text",
    ["what is the weather like in Oslo", "who won the football match yesterday", "tell me a joke", "asdf qwer zxcv"],
)
async def test_what_nobody_here_can_do_is_refused(rules, text):
    understanding = await rules.understand(text, CONTEXT)

    assert understanding.commands == (CannotHandle(),)


async def test_a_question_is_answered_from_the_document_that_means_it(rules):
    understanding = await rules.understand("after how many years does the company replace a computer?", CONTEXT)

    assert isinstance(understanding.commands[0], AskKnowledge)


@pytest.mark.parametrize("text", ["certainly, that is what I would like", "yes but not really", "I would love that"])
async def test_a_confirmation_is_never_read_by_its_meaning(rules, text):
    context = UnderstandingContext(catalogue=CATALOGUE, today=date(2026, 11, 20), expects="confirmation")

    understanding = await rules.understand(text, context)

    assert Affirm() not in understanding.commands


async def test_until_the_encoder_is_loaded_words_decide():
    embedder = MiniLm(find_weights())
    async with embedder.running(), Meanings(embedder).running():
        understanding = await RulesUnderstander(Meanings(embedder)).understand("I need a new laptop", CONTEXT)
        await embedder.embed([""])

    assert (understanding.commands, understanding.compared_by) == ((REFRESH,), "lexical")


async def test_an_encoder_that_cannot_be_loaded_changes_nothing(tmp_path):
    embedder = MiniLm(tmp_path)
    meanings = Meanings(embedder)
    async with embedder.running(), meanings.running():
        rules = RulesUnderstander(meanings)
        understanding = await rules.understand("I need a new laptop", CONTEXT)
        with pytest.raises(EmbeddingUnavailable):
            await meanings.prepare(CATALOGUE)
        afterwards = await rules.understand("I need a new laptop", CONTEXT)

    assert (understanding.commands, understanding.compared_by) == ((REFRESH,), "lexical")
    assert afterwards == understanding
