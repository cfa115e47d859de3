"""The research agent: several ways to ask, a quote from each source, numbers side by side, and nothing of its own."""

import pytest

from tests.agent_service.flows.conversation import Conversation, ScriptedTools

RESEARCH = {"target_agent_id": "agentic-research"}


async def test_each_source_is_quoted_and_numbers_stand_side_by_side():
    answer = await Conversation().say("How often is a laptop replaced, and how long must a password be?", **RESEARCH)

    citations = answer.envelope["citations"]
    research = answer.envelope["research"]
    assert len({citation["document"] for citation in citations}) >= 2
    assert all(f"[{number}] {each['text']}" in answer.content for number, each in enumerate(citations, start=1))
    assert len(research["questions"]) == 3
    assert all(f"- {question}" in answer.content for question in research["questions"])
    assert {"measure", "value", "sources", "verdict"} == set(research["numbers"][0])
    for row in research["numbers"]:
        assert f"| {row['measure']} | {row['value']} |" in answer.content


@pytest.mark.parametrize("wish", ["I need a new laptop", "I want a new laptop for Bob", "open a ticket"])
async def test_it_starts_nothing(wish):
    tools = ScriptedTools()

    answer = await Conversation(tools=tools).say(wish, **RESEARCH)

    assert (answer.envelope["flow"], answer.envelope["expects"], tools.calls) == (None, "nothing", [])


async def test_what_is_in_no_document_is_not_answered():
    answer = await Conversation().say("Who won the football match yesterday?", **RESEARCH)

    assert answer.envelope["citations"] == []
    assert "research" not in answer.envelope
    assert answer.content.startswith("I found nothing in my documents")


async def test_a_person_can_still_be_reached():
    answer = await Conversation().say("human", **RESEARCH)

    assert answer.envelope["mode"] == "human"
