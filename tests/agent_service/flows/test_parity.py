"""Whoever understands, a conversation ends in the same state: the same orders, the same place, the same question."""

import json
from datetime import timedelta

import pytest

from self_service_agent.agent_service.flows.engine import Engine
from self_service_agent.agent_service.understanding.llm import LlmUnderstander
from self_service_agent.agent_service.understanding.rules import RulesUnderstander
from self_service_agent.agent_service.wording.service import ModelWording
from self_service_agent.doubles.openai.script import Fault, Script
from tests.agent_service.flows.conversation import (
    Conversation,
    ScriptedTools,
    a_laptop,
    an_employee,
    an_engine,
    shipped,
)
from tests.agent_service.models.serving import a_model

PATIENCE = timedelta(seconds=2)
START = {"command": "start_flow", "flow": "laptop-refresh-agent/laptop_refresh"}
NOT_DUE = an_employee(a_laptop(purchase_date="2025-03-14"))
TWO_LAPTOPS = an_employee(a_laptop(), a_laptop(serial_number="SN-2", asset_tag="DL7420002", model="Latitude 5440"))
# What a good model says about whatever is not read by the grammar.
ANSWERS = {
    "new laptop": START,
    "replacement": START,
    "Which laptop": {"command": "start_flow", "flow": "laptop-refresh-agent/my_laptop"},
    "old laptop?": {"command": "ask_knowledge"},
    "rather take": {"command": "correct", "slot": "option", "choice": "emea-light-mac"},
    "only if": {"command": "cannot_handle"},
    "fries": {"command": "cannot_handle"},
    "crashes": {"command": "set_value", "value": "x"},
}
CONVERSATIONS = {
    "ordered": ("I need a new laptop", "2", "yes"),
    "politely": ("Hello!", "I need a new laptop", "the second", "yes please", "thanks"),
    "declined": ("I need a new laptop", "1", "no", "2"),
    "conditions are no yes": ("I need a new laptop", "1", "yes but only if it is free"),
    "cancelled": ("I need a new laptop", "never mind"),
    "back and forth": ("I need a new laptop", "1", "back", "2", "yes"),
    "digression": ("I need a new laptop", "What happens to my old laptop?", "2", "yes"),
    "to a person": ("I need a new laptop", "human", "hello?", "back"),
    "twice": ("I need a new laptop", "1", "yes", "I need a new laptop", "1"),
    "something else": ("A burger with fries", "I need a new laptop", "1", "yes"),
    "my own": ("Which laptop do I have",),
    "reset": ("I need a new laptop", "reset"),
}


BEFORE_ITS_TIME = {
    "exception": ("I need a new laptop", "yes", "It crashes twice a day"),
    "no exception": ("I need a new laptop", "no"),
    "conditions": ("I need a new laptop", "yes but only if it is free", "never mind"),
}


def state_of(outcome):
    """Return where a conversation stands, without who understood it and what that took."""
    told = {"engine", "model", "usage", "degraded", "understanding"}
    envelope = {name: value for name, value in outcome.envelope.items() if name not in told}
    return outcome.content, envelope, outcome.next_agent_id, outcome.closes_session


async def ends(engine, messages, employee):
    conversation = Conversation(engine=engine, tools=ScriptedTools(employee=employee))
    outcome = await conversation.hear(*messages)
    return state_of(outcome), conversation.tools.orders


def a_script(**changes):
    return Script(answers={part: json.dumps(answer) for part, answer in ANSWERS.items()}, **changes)


@pytest.mark.parametrize(
    ("employee", "conversations"),
    [
        pytest.param(an_employee(), CONVERSATIONS, id="due"),
        pytest.param(TWO_LAPTOPS, CONVERSATIONS, id="two laptops"),
        pytest.param(NOT_DUE, BEFORE_ITS_TIME, id="not due"),
    ],
)
async def test_both_understanders_bring_a_conversation_to_the_same_end(employee, conversations):
    script = a_script()
    async with a_model(script) as model:
        engine = Engine(shipped(), LlmUnderstander(model.client, RulesUnderstander(), patience=PATIENCE))
        by_model = {name: await ends(engine, said, employee) for name, said in conversations.items()}
    by_rules = {name: await ends(an_engine(), said, employee) for name, said in conversations.items()}

    assert by_model == by_rules
    assert len(script.asked) >= len(conversations)


async def test_a_model_that_fails_in_the_middle_changes_nothing():
    script = a_script(always=Fault.SERVER_ERROR)
    async with a_model(script) as model:
        engine = Engine(shipped(), LlmUnderstander(model.client, RulesUnderstander(), patience=PATIENCE))
        with_failures = {name: await ends(engine, said, an_employee()) for name, said in CONVERSATIONS.items()}

    assert with_failures == {name: await ends(an_engine(), said, an_employee()) for name, said in CONVERSATIONS.items()}


async def test_a_model_may_reword_what_is_said_but_neither_questions_nor_summaries():
    script = Script(
        answers={
            "you are eligible": (
                "Good news, you are eligible: your standard laptop Latitude 7420 (asset DL7420001) was bought on "
                "14 March 2022 and is 56 months old, and the policy replaces it after 36 months."
            ),
            "Done: ticket": "All done! Ticket REQ0009999 is open for the best laptop.",
        }
    )
    async with a_model(script) as model:
        engine = Engine(shipped(), RulesUnderstander(), wording=ModelWording(model.client, patience=PATIENCE))
        conversation = Conversation(engine=engine)
        plain = Conversation()
        due, summary, done = [await conversation.say(said) for said in ("I need a new laptop", "1", "yes")]
        as_written = [await plain.say(said) for said in ("I need a new laptop", "1", "yes")]

    assert due.content.startswith("Good news, you are eligible")
    assert due.content.partition("\n\n")[2] == as_written[0].content.partition("\n\n")[2]
    assert due.envelope["usage"]["output_tokens"] > 0
    assert summary.content == as_written[1].content
    assert done.content == as_written[2].content  # the model invented a ticket, so it was not heard
    assert conversation.tools.orders == plain.tools.orders
