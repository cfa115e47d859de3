"""What definitions can do so that no use case needs Python: lists of tools, records as arguments, patterns."""

import pytest

from self_service_agent.agent_service.definitions.loader import Definitions, parse_definition
from self_service_agent.agent_service.definitions.models import AgentDefinition, Slot
from self_service_agent.agent_service.flows.tools import ToolUnavailable

from .conversation import Conversation, ScriptedTools, an_engine, where

NUMBER = {"id": "number", "kind": "collect", "slot": "number", "ask": "Which?"}
FIND = {
    "id": "find", "kind": "call", "tool": "find", "save": "found",
    "arguments": {"wanted": {"number": "{number}", "by": "{user.login}"}, "plain": "{number}"},
}  # fmt: skip
LIST = {"id": "list", "kind": "answer", "rows": "{found.things}", "text": "Found:", "label": "{name}", "empty": "none"}
END = {"id": "end", "kind": "end", "text": "Bye."}
NONE = {"id": "none", "kind": "end", "text": "Nothing there."}
STEPS = (NUMBER, FIND, LIST, END, NONE)


def an_agent(*steps, hears=None) -> Definitions:
    agent = AgentDefinition.model_validate(
        {
            "id": "small",
            "version": "1",
            "name": "Small",
            "summary": "Finds things.",
            "tools": {"find": {"effect": "read"}},
            "flows": {
                "find": {
                    "title": "find a thing",
                    "examples": ["look for thing T-17"],
                    "hears": hears,
                    "slots": {
                        "number": {"pattern": r"\bt-\d+\b", "words": ["number"]},
                        "found": {"type": "record"},
                    },
                    "steps": list(steps or STEPS),
                }
            },
        }
    )
    return Definitions({"small": parse_definition(agent.body)}, default_agent_id="small")


def a_conversation(*answers, hears=None):
    tools = ScriptedTools(script={"find": list(answers)})
    return Conversation(tools, an_engine(an_agent(hears=hears)))


def things(*names):
    return {"things": [{"name": name} for name in names]}


async def test_rows_that_a_tool_returned_are_listed():
    outcome = await a_conversation(things("Lamp", "Chair {number}")).hear("look for a thing", "it is t-17, I think")

    assert outcome.content.startswith("Found:\n\n- Lamp\n- Chair {number}\n\nBye.")


async def test_without_rows_the_flow_goes_elsewhere():
    outcome = await a_conversation(things()).hear("look for a thing", "T-17")

    assert outcome.content.startswith("Nothing there.")


async def test_an_argument_may_be_a_record():
    conversation = a_conversation(things())
    await conversation.hear("look for a thing", "T-17")

    [(_, arguments, _)] = conversation.tools.calls
    assert arguments == {"wanted": {"number": "T-17", "by": "alice.johnson"}, "plain": "T-17"}


async def test_what_the_first_message_says_is_not_asked_for():
    conversation = a_conversation(things("Lamp"))
    outcome = await conversation.hear("look for thing t-17")

    assert outcome.content.startswith("Found:")
    assert conversation.tools.calls[0][1]["plain"] == "t-17"


async def test_what_the_first_message_says_can_be_taken_back():
    conversation = a_conversation(ToolUnavailable(), things("Lamp"))
    asked = await conversation.hear("look for thing T-17", "back")
    found = await conversation.hear("T-43")

    assert where(asked) == ("number", "text")
    assert found.content.startswith("Found:")
    assert [arguments["plain"] for _, arguments, _ in conversation.tools.calls] == ["T-17", "T-43"]


async def test_a_reply_without_the_pattern_is_asked_for_again():
    outcome = await a_conversation().hear("look for a thing", "the green one")

    assert where(outcome) == ("number", "text")


@pytest.mark.parametrize(("hears", "step"), [(r"\bT-\d+\b", None), (None, None), ("never", None)])
async def test_who_asks_how_something_stands_is_answered_by_the_flow_that_hears_it(hears, step):
    outcome = await a_conversation(things("Lamp"), hears=hears).hear("what is the status of T-17")

    assert outcome.content.startswith("Found:" if hears and "T" in hears else "Nothing is in progress.")
    assert where(outcome)[0] is step


@pytest.mark.parametrize(
    ("slot", "said", "value"),
    [
        (Slot(pattern=r"[a-z]{2}-\d"), "take AB-1 please", "AB-1"),
        (Slot(pattern=r"[a-z]{2}-\d"), "take it", None),
        (Slot(max_length=3), "four", None),
        (Slot(min_length=3), "no", None),
        (Slot(type="number"), 7, 7),
        (Slot(pattern="x"), "-" * 600 + "x", None),
    ],
)
def test_a_slot_takes_what_fits(slot, said, value):
    assert slot.read(said) == value


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ValueError, match="not a pattern"):
        Slot(pattern="(")
