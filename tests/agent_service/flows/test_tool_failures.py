"""A tool that fails: said honestly, with the place kept, and tried again under the same key."""

import pytest

from self_service_agent.agent_service.flows.tools import ToolInDoubt, ToolRefused, ToolUnavailable

from .conversation import LOOK_UP, ORDER, Conversation, ScriptedTools, where

TO_THE_YES = ("I need a new laptop", "1", "yes")


@pytest.mark.parametrize("again", ["try again", "yes", "1", "retry"])
async def test_a_look_up_that_fails_can_be_tried_again(again):
    tools = ScriptedTools(script={LOOK_UP: [ToolUnavailable("down")]})
    conversation = Conversation(tools)

    failed = await conversation.say("I need a new laptop")
    outcome = await conversation.say(again)

    assert where(failed) == ("look_up", "choice")
    assert failed.envelope["tool_calls"] == [{"name": LOOK_UP, "outcome": "unavailable"}]
    assert where(outcome) == ("pick", "choice")
    assert len(set(tools.keys(LOOK_UP))) == 1


@pytest.mark.parametrize("error", [ToolUnavailable("down"), ToolInDoubt("timed out")])
async def test_an_order_that_fails_is_tried_again_with_the_same_key(error):
    tools = ScriptedTools(script={ORDER: [error]})
    conversation = Conversation(tools)

    await conversation.hear(*TO_THE_YES)
    outcome = await conversation.say("try again")

    assert "REQ0001234" in outcome.content
    assert len(tools.keys(ORDER)) == 2
    assert len(set(tools.keys(ORDER))) == 1


async def test_an_answer_without_a_ticket_number_is_in_doubt():
    tools = ScriptedTools(script={ORDER: [{"cart_id": "77"}]})

    outcome = await Conversation(tools).hear(*TO_THE_YES)

    assert outcome.envelope["tool_calls"] == [{"name": ORDER, "outcome": "in_doubt"}]
    assert "cannot tell whether the request went through" in outcome.content


async def test_a_look_up_with_a_broken_answer_counts_as_out_of_reach():
    tools = ScriptedTools(script={LOOK_UP: [{"employee_name": "Alice Johnson"}]})

    outcome = await Conversation(tools).say("I need a new laptop")

    assert outcome.envelope["tool_calls"] == [{"name": LOOK_UP, "outcome": "unavailable"}]


async def test_a_refusal_is_told_and_another_model_is_a_new_decision():
    tools = ScriptedTools(script={ORDER: [ToolRefused("out of stock")]})
    conversation = Conversation(tools)

    refused = await conversation.hear(*TO_THE_YES)
    corrected = await conversation.say("change it to the Dell")
    assert tools.orders == ["emea-std-14"]
    await conversation.say("yes")

    assert "out of stock" in refused.content
    assert [choice["id"] for choice in refused.envelope["choices"]] == ["human", "stop"]
    assert where(corrected) == ("summary", "confirmation")
    assert tools.orders == ["emea-std-14", "emea-wks-16"]
    assert len(set(tools.keys(ORDER))) == 2


@pytest.mark.parametrize("words", ["change it to the Dell", "back"])
async def test_nothing_is_changed_while_an_order_is_in_doubt(words):
    tools = ScriptedTools(script={ORDER: [ToolInDoubt("timed out")]})

    outcome = await Conversation(tools).hear(*TO_THE_YES, words)

    assert outcome.content.startswith("First I need to know whether the earlier request went through.")
    assert where(outcome) == ("order", "choice")


async def test_an_order_in_doubt_that_was_cancelled_is_checked_before_another():
    tools = ScriptedTools(script={ORDER: [ToolInDoubt("timed out")]})
    conversation = Conversation(tools)

    cancelled = await conversation.hear(*TO_THE_YES, "cancel")
    asked = await conversation.say("I need a new laptop")
    await conversation.say("try again")

    assert "may already have gone through" in cancelled.content
    assert where(asked) == ("order", "choice")
    assert len(set(tools.keys(ORDER))) == 1


async def test_a_failed_order_can_go_to_a_person():
    tools = ScriptedTools(script={ORDER: [ToolInDoubt("timed out")]})

    outcome = await Conversation(tools).hear(*TO_THE_YES, "2")

    assert outcome.envelope["mode"] == "human"
    assert outcome.handoff["slots"]["option"]["code"] == "emea-std-14"
