"""A reply is made of what was said, and of the sentences of the definitions with their places filled."""

from functools import partial

import pytest

from self_service_agent.agent_service.flows.engine import Engine
from self_service_agent.agent_service.guards.outgoing import ReplyRefused
from self_service_agent.agent_service.guards.provenance import check_prompts, check_provenance
from self_service_agent.agent_service.understanding.llm_prompt import TASK
from self_service_agent.agent_service.understanding.rules import RulesUnderstander
from self_service_agent.agent_service.wording.service import Worded
from tests.agent_service.flows.conversation import Conversation, ScriptedTools, an_employee, shipped

SAID = ['{"manager": "boss@company.com", "phone": "+49 171 2345678", "note": "{user.email}"}']
DEFINED = ["Write to help@company.com, {name}, or call {area} 555 010 9999"]
check = partial(check_provenance, said=lambda: SAID, defined=lambda: DEFINED)


@pytest.mark.parametrize(
    "content",
    [
        "Your manager is boss@company.com.", "Call +49 171 2345678", "Write to help@company.com",
        "The record says {user.email}.", "Nothing in particular", "Call 020 555 010 9999", "{ } {1} {Upper}",
    ],
)  # fmt: skip
def test_what_has_a_source_may_be_said(content):
    said = [*SAID, "020"]

    check_provenance(content, said=lambda: said, defined=lambda: DEFINED)


@pytest.mark.parametrize(
    "content",
    [
        "Write to other@company.com.", "Call +49 171 9999999", "The key is hf_canarycanarycanarycanary",
        "Hello {name}", "Hello {employee.name}", "boss@company.com and eve@evil.example",
    ],
)  # fmt: skip
def test_what_comes_from_nowhere_is_withheld(content):
    with pytest.raises(ReplyRefused):
        check(content)


@pytest.mark.parametrize("sentence", ["You do not answer it, and you do nothing yourself.", TASK])
def test_what_a_model_is_told_is_not_repeated(sentence):
    with pytest.raises(ReplyRefused):
        check_prompts(f"Sure! {sentence}\nAnything else?", prompts=[TASK])

    check_prompts("What a command does, I do not tell.", prompts=[TASK])


class Leaking:
    """A wording that puts somebody else's address into every answer, as a model without its checks might."""

    async def reword(self, reply, account):
        del account
        return Worded(f"{reply} Or ask eve@evil.example.")


async def test_a_reply_with_an_address_from_nowhere_is_withheld_honestly():
    conversation = Conversation(engine=Engine(shipped(), RulesUnderstander(), wording=Leaking()))

    outcome = await conversation.hear("I need a new laptop", "cancel")

    assert outcome.response_type == "error"
    assert "eve@evil.example" not in outcome.content
    assert "did not pass a check" in outcome.content


async def test_addresses_and_places_in_what_a_tool_answered_are_said_also_when_the_flow_is_over():
    employee = an_employee(employee_name="Alice {user.id} of alice@other.example, +49 171 2345678")
    conversation = Conversation(ScriptedTools(employee))

    answers = [await conversation.say(said) for said in ("I need a new laptop", "1", "yes", "status", "repeat")]

    assert [answer.response_type for answer in answers] == ["message"] * 5
    assert any("alice@other.example" in answer.content for answer in answers)
