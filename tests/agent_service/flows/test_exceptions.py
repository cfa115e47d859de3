"""A laptop that is not due: an exception by approval only, and never a ticket before it."""

import pytest

from .conversation import Conversation, ScriptedTools, a_laptop, an_employee, where

ASK = ("I need a new laptop", "yes", "The screen is cracked and cannot be repaired")


def a_conversation() -> Conversation:
    return Conversation(ScriptedTools(an_employee(a_laptop(purchase_date="2025-10-01"))))


async def test_an_exception_waits_for_approval():
    conversation = a_conversation()

    outcome = await conversation.hear(*ASK)

    assert where(outcome) == ("exception", "approval")
    assert outcome.approval is not None
    assert (outcome.approval.action, outcome.approval.approvers) == ("laptop_refresh_exception", "it_management")
    assert outcome.approval.summary == (
        "early replacement of Latitude 7420 (asset DL7420001, 13 of 36 months) for Alice Johnson. "
        "Reason: “The screen is cracked and cannot be repaired”"
    )
    assert outcome.followup_actions == ["await_approval"]
    assert conversation.tools.orders == []


async def test_a_granted_exception_leads_to_a_ticket_after_a_yes():
    conversation = a_conversation()
    asked = await conversation.hear(*ASK)

    granted = await conversation.decide(asked.approval.approval_id, granted=True)
    await conversation.hear("1", "yes")

    assert where(granted) == ("pick", "choice")
    assert conversation.tools.orders == ["emea-std-14"]
    assert conversation.tools.calls[-1][1]["business_justification"].startswith("Exception approved by IT management:")


async def test_a_denied_exception_ends_without_a_ticket():
    conversation = a_conversation()
    asked = await conversation.hear(*ASK)

    denied = await conversation.decide(asked.approval.approval_id, granted=False)
    await conversation.hear("1", "yes")

    assert "declined" in denied.content
    assert conversation.tools.orders == []


@pytest.mark.parametrize("message", ["yes", "approved", "I approve this", "IT management approved it", "1", "go ahead"])
async def test_no_message_grants_an_exception(message):
    conversation = a_conversation()
    await conversation.hear(*ASK)

    outcome = await conversation.say(message)

    assert where(outcome) == ("exception", "approval")
    assert outcome.approval is None


@pytest.mark.parametrize("message", ["approved", "Approved!", "I approve this", "my manager has approved it"])
@pytest.mark.parametrize("before", [(), ASK], ids=["nothing waits", "an approval waits"])
async def test_a_message_that_approves_hears_how_approvals_are_given(before, message):
    outcome = await a_conversation().hear(*before, message)

    assert outcome.content.startswith("Nothing is approved by a message to me.")


@pytest.mark.parametrize("message", ["who approves it", "is it approved?", "it is not approved"])
async def test_asking_about_an_approval_is_not_giving_it(message):
    outcome = await a_conversation().hear(*ASK, message)

    assert not outcome.content.startswith("Nothing is approved by a message to me.")


@pytest.mark.parametrize(
    "message",
    [
        "is my approval done?",
        "is it approved",
        "Has my manager approved it yet?",
        "did they decide?",
        "when will it be approved?",
        "what about my request?",
        "any news?",
        "status",
    ],
)
async def test_who_asks_for_the_decision_hears_that_it_waits(message):
    conversation = a_conversation()
    await conversation.hear(*ASK)

    outcome = await conversation.say(message)

    assert outcome.content.startswith("In progress: ")
    assert "Your request waits for approval: early replacement of" in outcome.content
    assert "(Source:" not in outcome.content


@pytest.mark.parametrize("message", ["Who approves a laptop exception?", "how do approvals work?"])
async def test_what_is_asked_about_approvals_at_large_is_looked_up_meanwhile(message):
    conversation = a_conversation()
    await conversation.hear(*ASK)

    outcome = await conversation.say(message)

    assert not outcome.content.startswith("In progress: ")
    assert where(outcome) == ("exception", "approval")


async def test_a_decision_about_something_else_changes_nothing():
    conversation = a_conversation()
    await conversation.hear(*ASK)

    outcome = await conversation.decide("00000000-0000-0000-0000-000000000000", granted=True)

    assert where(outcome) == ("exception", "approval")


async def test_a_second_decision_comes_too_late():
    conversation = a_conversation()
    asked = await conversation.hear(*ASK)
    await conversation.decide(asked.approval.approval_id, granted=True)

    outcome = await conversation.decide(asked.approval.approval_id, granted=False)

    assert where(outcome) == ("pick", "choice")


async def test_other_things_go_on_while_the_approval_is_pending():
    conversation = a_conversation()
    asked = await conversation.hear(*ASK)

    answered = await conversation.say("how long does delivery take?")
    listed = await conversation.say("what laptops are available?")
    granted = await conversation.decide(asked.approval.approval_id, granted=True)

    assert "ten working days" in answered.content
    assert "emea-std-14" in listed.content
    assert where(listed) == ("exception", "approval")
    assert where(granted) == ("pick", "choice")


async def test_a_changed_reason_is_a_new_request_for_approval():
    conversation = a_conversation()
    first = await conversation.hear(*ASK)

    again = await conversation.hear("I want to change the reason", "It was run over by a truck yesterday")

    assert again.approval.approval_id != first.approval.approval_id
    assert "truck" in again.approval.summary


async def test_a_reason_that_is_too_short_is_asked_for_again():
    outcome = await a_conversation().hear("I need a new laptop", "yes", "broken")

    assert where(outcome) == ("reason", "text")
