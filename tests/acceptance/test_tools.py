"""A tool names the person it asks for, and may name the agent."""

import pytest

from tests.acceptance.test_bad_input import assert_is_a_problem, knock


@pytest.mark.parametrize(("agent", "status"), [("no-such-agent", 200), ("x" * 255, 200), ("x" * 256, 422), ("", 200)])
async def test_a_tool_may_name_any_agent_that_could_exist(house, agent, status):
    answer = await knock(house, "tool", {"tool_context": {"target_agent_id": agent}})

    assert answer.status_code == status


@pytest.mark.parametrize("name", ["\u00df" * 200, "   "])
async def test_a_tool_cannot_name_a_person_who_cannot_exist(house, name):
    assert_is_a_problem(await knock(house, "tool", {"user_id": name}), 422)
