"""A stored conversation that somebody tampered with leads to no call that its definition does not make."""

import copy
from contextlib import suppress

import pytest

from self_service_agent.agent_service.flows.steps import UnwarrantedWrite

from .conversation import LOOK_UP, ORDER, Conversation, an_engine, shipped

ENGINE = an_engine()


def frame_of(checkpoint):
    return checkpoint["checkpoint"]["channel_values"]["dialogue"]["stack"][0]


def a_warrant_for_another_tool(checkpoint):
    frame_of(checkpoint).update(step="order", visits={"order": 1}, warrant="get_employee_laptop_info")


def a_step_that_is_none(checkpoint):
    frame_of(checkpoint).update(step="delete_everything", warrant="delete_everything")


def a_flow_of_another_agent(checkpoint):
    frame_of(checkpoint).update(digest=shipped().default.digest)


def a_definition_that_nobody_wrote(checkpoint):
    frame_of(checkpoint).update(digest="0" * 64)


def a_field_that_frames_do_not_have(checkpoint):
    frame_of(checkpoint)["tool"] = ORDER


@pytest.mark.parametrize(
    "tamper",
    [
        a_warrant_for_another_tool,
        a_step_that_is_none,
        a_flow_of_another_agent,
        a_definition_that_nobody_wrote,
        a_field_that_frames_do_not_have,
    ],
)
async def test_a_frame_that_was_tampered_with_calls_nothing_that_writes(tamper):
    conversation = Conversation(engine=ENGINE)
    outcome = await conversation.hear("I need a new laptop", "1")
    checkpoint = copy.deepcopy(outcome.checkpoint)
    tamper(checkpoint)

    with suppress(UnwarrantedWrite, LookupError, TypeError):  # the turn fails, or the flow begins anew
        await conversation.say("yes", checkpoint=checkpoint)

    assert {tool for tool, _, _ in conversation.tools.calls} == {LOOK_UP}


async def test_a_call_that_is_put_into_a_checkpoint_is_not_made():
    conversation = Conversation(engine=ENGINE)
    outcome = await conversation.hear("I need a new laptop", "1")
    checkpoint = copy.deepcopy(outcome.checkpoint)
    checkpoint["checkpoint"]["channel_values"] |= {
        "call": {"tool": ORDER, "arguments": {}, "key": "k"},
        "commands": [{"type": "affirm"}],
    }

    await conversation.say("status", checkpoint=checkpoint)

    assert conversation.tools.orders == []
