"""Tokens are counted in the database, and a budget that is used up is not exceeded."""

import asyncio

import pytest

from self_service_agent.agent_service.models.budget import Limits, StoredBudget
from self_service_agent.agent_service.models.errors import BudgetSpent
from self_service_agent.agent_service.models.port import Usage
from tests.agent_service.models.serving import an_account

SESSION = "session-1"


@pytest.fixture
async def a_session(pool):
    """Put a session into the database."""
    await pool.execute("INSERT INTO users (user_id) VALUES ('user-1')")
    await pool.execute(
        "INSERT INTO request_sessions (session_id, user_id, scope, integration_type, expires_at) "
        "VALUES ($1, 'user-1', 'user', 'WEB', now() + interval '1 day')",
        SESSION,
    )


async def counted(pool):
    """Return tokens, calls, tokens in, tokens out and estimated calls: of the session, and of the day."""
    session = await pool.fetchrow("TABLE model_usage_of_sessions")
    day = await pool.fetchrow("TABLE model_usage_of_days")
    return tuple(session)[1:], tuple(day)[2:]


@pytest.mark.usefixtures("a_session")
async def test_what_was_set_aside_is_replaced_by_what_was_used(pool):
    budget = StoredBudget(pool, Limits(session=0, day=0))

    for used in (Usage(input_tokens=70, output_tokens=5), Usage(input_tokens=10, output_tokens=1, estimated=True)):
        reservation = await budget.reserve(an_account(), 1000)
        await budget.settle(reservation, used)

    assert await counted(pool) == ((86, 2, 80, 6, 1), (86, 2, 80, 6, 1))


@pytest.mark.usefixtures("a_session")
@pytest.mark.parametrize("limits", [Limits(session=1000, day=0), Limits(session=0, day=1000)])
async def test_calls_at_the_same_time_do_not_exceed_a_budget_together(pool, limits):
    budget = StoredBudget(pool, limits)

    asked = [budget.reserve(an_account(), 300) for _ in range(8)]
    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert sum(isinstance(answer, BudgetSpent) for answer in answers) == 5
    assert (await counted(pool))[0][:2] == (900, 3)
    assert (await counted(pool))[1][:2] == (900, 3)


@pytest.mark.usefixtures("a_session")
@pytest.mark.parametrize("limits", [Limits(session=99, day=0), Limits(session=0, day=99)])
async def test_a_budget_smaller_than_one_call_admits_none(pool, limits):
    with pytest.raises(BudgetSpent):
        await StoredBudget(pool, limits).reserve(an_account(), 100)

    assert await pool.fetchval("SELECT count(*) FROM model_usage_of_sessions") == 0


async def test_a_session_that_is_gone_has_no_budget(pool):
    with pytest.raises(BudgetSpent):
        await StoredBudget(pool, Limits(session=0, day=0)).reserve(an_account("gone"), 100)
