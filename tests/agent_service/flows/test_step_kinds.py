"""Kinds of steps that the shipped flows do not use in this way, in a small agent of their own."""

import pytest

from self_service_agent.agent_service.definitions.loader import Definitions, parse_definition
from self_service_agent.agent_service.definitions.models import AgentDefinition

from .conversation import Conversation, an_engine, where


def an_agent(*steps) -> Definitions:
    slots = {"thing": {"type": "record", "words": ["thing"]}, "mail": {"type": "email"}, "more": {}}
    flow = {"title": "do it", "examples": ["begin"], "slots": slots, "steps": list(steps)}
    agent = AgentDefinition.model_validate(
        {
            "id": "small",
            "version": "1",
            "name": "Small",
            "summary": "Tries steps.",
            "knowledge": {"terms": {"title": "Terms", "text": "## Price\nIt is free.\n\n## Hours\nAlways open."}},
            "flows": {"do": flow},
            "tables": {
                "things": {"key": "id", "rows": [{"id": "a", "label": "Apple"}, {"id": "b", "label": "Banana"}]}
            },
        }
    )
    return Definitions({"small": parse_definition(agent.body)}, default_agent_id="small")


async def talk(*messages, steps):
    return await Conversation(engine=an_engine(an_agent(*steps))).hear(*messages)


A_MAIL = {"id": "ask", "kind": "collect", "slot": "mail", "ask": "Your address?"}
A_THING = {
    "id": "pick",
    "kind": "choose",
    "slot": "thing",
    "table": "things",
    "ask": "Which?",
    "label": "{label}",
    "empty": "end",
}
END = {"id": "end", "kind": "end", "text": "Bye."}


async def test_an_answer_quotes_its_section():
    outcome = await talk("begin", steps=[{"id": "x", "kind": "answer", "document": "terms", "section": "Hours"}, END])

    assert outcome.content.startswith("Always open.\n(Source: Terms, Hours)")
    assert outcome.envelope["citations"] == [
        {"document": "terms", "title": "Terms", "heading": "Hours", "span": [31, 43], "text": "Always open."}
    ]


async def test_a_handoff_step_reaches_a_person_and_back():
    steps = [{"id": "x", "kind": "handoff"}]

    handed_over = await talk("begin", steps=steps)
    returned = await talk("begin", "back", steps=steps)

    assert (handed_over.envelope["mode"], returned.envelope["mode"]) == ("human", "agent")


async def test_a_flow_without_an_end_step_just_ends():
    outcome = await talk("begin", steps=[{"id": "x", "kind": "say", "text": "Hello."}])

    assert outcome.content == "Hello.\n\nIs there anything else I can help you with?"


async def test_steps_that_go_in_circles_are_stopped():
    steps = [{"id": "x", "kind": "decide", "next": "y"}, {"id": "y", "kind": "decide", "next": "x"}]

    outcome = await talk("begin", steps=steps)

    assert "do not come to an end" in outcome.content


async def test_no_rows_lead_elsewhere():
    outcome = await talk("begin", steps=[{**A_THING, "where": "row.id == 'c'"}, END])

    assert outcome.content.startswith("Bye.")


async def test_a_typed_value_is_asked_for_until_it_is_given():
    missed = await talk("begin", "what?", steps=[A_MAIL, END])
    given = await talk("begin", "what?", "it is me@example.com", steps=[A_MAIL, END])

    assert where(missed) == ("ask", "text")
    assert given.content.startswith("Bye.")


@pytest.mark.parametrize("words", ["no", "yes", "neither of them"])
async def test_a_choice_is_no_yes_or_no_question(words):
    outcome = await talk("begin", words, steps=[A_THING, END])

    assert where(outcome) == ("pick", "choice")


async def test_rows_that_are_no_records_decide_nothing():
    steps = [A_MAIL, {**A_THING, "table": None, "rows": "{mail}"}, END]

    outcome = await talk("begin", "me@example.com", steps=steps)

    assert "not a list of records" in outcome.content


async def test_a_question_without_an_answer_is_told_so():
    outcome = await talk("begin", "what are the opening hours?", steps=[A_THING, END])

    assert where(outcome) == ("pick", "choice")
