"""The workflow agent says what a flow may do before it does any of it; the others do not."""

import pytest

from tests.agent_service.flows.conversation import Conversation, shipped

WISH = "I need a new laptop"
WORKFLOW = "agentic-workflow"


async def test_the_plan_comes_before_the_first_step():
    answer = await Conversation().say(WISH, target_agent_id=WORKFLOW)

    plan = answer.envelope["plan"]
    steps = "\n".join(f"{number}. {step['title']}" for number, step in enumerate(plan, start=1))
    assert answer.content.startswith(f"The plan to request a new laptop:\n{steps}\n")
    assert plan[0] == {"id": plan[0]["id"], "kind": "call", "title": "Get employee laptop info"}
    assert {"Ask for your yes before anything is changed", "Wait for an approval"} <= {step["title"] for step in plan}
    assert "Open laptop refresh ticket (this changes something)" in {step["title"] for step in plan}


async def test_it_is_said_once_and_the_flow_goes_on_as_everywhere():
    conversation = Conversation()

    first = await conversation.say(WISH, target_agent_id=WORKFLOW)
    second = await conversation.say("1", target_agent_id=WORKFLOW)

    assert first.envelope["expects"] == "choice"
    assert "plan" not in second.envelope
    assert "The plan" not in second.content
    assert second.envelope["expects"] == "confirmation"


async def test_other_agents_keep_their_plans_to_themselves():
    answer = await Conversation().say(WISH, target_agent_id="agentic-general")

    assert "plan" not in answer.envelope
    assert "The plan" not in answer.content


@pytest.mark.parametrize("agent", ["agentic-general", WORKFLOW])
def test_they_reach_whatever_the_routing_agent_reaches(agent):
    definitions = shipped()

    assert definitions.current(agent).routes == definitions.default.routes
