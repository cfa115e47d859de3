"""What people might write is understood well enough, and what nobody here can do is hardly ever taken for a wish."""

import pytest

from self_service_agent.agent_service.app import shipped_agents
from self_service_agent.agent_service.definitions.loader import load_definitions
from self_service_agent.agent_service.embedding.opening import open_embedder
from self_service_agent.agent_service.embedding.settings import EmbeddingSettings
from self_service_agent.evaluation.files import evaluations_folder
from self_service_agent.evaluation.intents import counted, load_utterances, reaches_goals, read_all

DEFINITIONS = load_definitions(shipped_agents())
UTTERANCES = load_utterances(evaluations_folder() / "intents")


def test_every_family_has_forty_utterances_and_three_in_ten_are_about_other_things():
    families = [each.family for each in UTTERANCES]

    assert [name for name in set(families) if families.count(name) < 40] == []
    assert families.count("out of scope") >= 0.3 * len(families)


def test_what_is_wanted_exists():
    flows = {f"{agent.id}/{flow}" for agent in DEFINITIONS for flow in agent.flows}
    documents = {f"document:{name}" for agent in DEFINITIONS for name in agent.knowledge}

    assert {each.wanted for each in UTTERANCES} <= flows | documents | {"person", "none"}


async def test_meanings_reach_the_goals():
    readings = await read_all(UTTERANCES, DEFINITIONS, open_embedder(EmbeddingSettings()))

    assert reaches_goals(readings)


async def test_words_alone_lead_to_the_wrong_agent_as_rarely():
    readings = await read_all(UTTERANCES, DEFINITIONS, None)

    assert counted(readings, out_of_scope=False)["wrong agent"] <= 0.05
    assert counted(readings, out_of_scope=True)["wrong agent"] <= 0.05


@pytest.mark.parametrize("readings", [[]])
def test_nothing_read_is_no_success(readings):
    assert not reaches_goals(readings)
