"""What writes happens once for each decision, whatever fails and however often it is tried; nobody is told wrong."""

import asyncio
from contextlib import AsyncExitStack

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from self_service_agent.kit.database import open_pool
from self_service_agent.kit.ids import new_id
from tests.acceptance.databases import fresh_database
from tests.agent_service.tools.world import BLIND, FAULTS, Target, a_ledger, outcome_of

STATE = "SELECT state, attempts FROM tool_calls"


@pytest.mark.parametrize(
    ("fault", "heard", "again", "calls"),
    [
        pytest.param("none", "REQ1", "REQ1", 1, id="it works"),
        pytest.param("lost", "in doubt", "REQ1", 1, id="the line is cut after it acted"),
        pytest.param("too late", "in doubt", "REQ1", 2, id="no answer in time, and it did nothing"),
        pytest.param("5xx", "in doubt", "REQ1", 1, id="5xx after it acted"),
        pytest.param("half", "in doubt", "REQ1", 1, id="an answer without the number"),
        pytest.param("down", "unavailable", "REQ1", 2, id="it was not reached"),
        pytest.param("refused", "refused", "REQ1", 2, id="it says no"),
        pytest.param("killed before", "killed", "REQ1", 2, id="we die before it acts"),
        pytest.param("killed after", "killed", "REQ1", 1, id="we die after it acted"),
        pytest.param("bad form", "refused", "REQ1", 1, id="arguments of another form"),
    ],
)
async def test_a_call_that_fails_is_settled_by_the_next_one(pool, fault, heard, again, calls):
    target = Target(faults=[fault])
    ledger = await a_ledger(pool, target)

    assert await outcome_of(ledger) == heard
    assert await outcome_of(ledger) == again
    assert (target.effects, target.calls) == (["k1"], calls)
    assert await pool.fetchval("SELECT state FROM tool_calls") == "confirmed"


async def test_arguments_of_another_form_leave_no_intent(pool):
    ledger = await a_ledger(pool, Target(faults=["bad form"]))

    await outcome_of(ledger)

    assert await pool.fetchval("SELECT count(*) FROM tool_calls") == 0


@pytest.mark.parametrize("fault", ["lost", "too late", "killed before", "killed after"])
async def test_without_a_way_to_find_out_a_call_in_doubt_stays_so(pool, fault):
    target = Target(faults=[fault])
    ledger = await a_ledger(pool, target, BLIND)

    await outcome_of(ledger)

    assert [await outcome_of(ledger) for _ in range(3)] == ["in doubt"] * 3
    assert target.calls == 1


@pytest.mark.parametrize(("fault", "calls"), [("down", 2), ("refused", 2)])
async def test_a_call_that_certainly_did_nothing_is_made_again_without_asking(pool, fault, calls):
    target = Target(faults=[fault])
    ledger = await a_ledger(pool, target, BLIND)

    await outcome_of(ledger)

    assert await outcome_of(ledger) == "REQ1"
    assert target.calls == calls


@pytest.mark.parametrize("then", ["none", "bad form"])
async def test_while_nobody_can_be_asked_a_call_stays_in_doubt(pool, then):
    target = Target(faults=["lost", then], reconciles=False)
    ledger = await a_ledger(pool, target)
    await outcome_of(ledger)

    assert await outcome_of(ledger) == "in doubt"
    assert target.calls == 1


async def test_two_workers_with_the_same_key_act_once_and_hear_the_same(pool):
    target = Target()
    ledgers = [await a_ledger(pool, target, BLIND) for _ in range(2)]

    heard = await asyncio.gather(*(outcome_of(ledger) for ledger in ledgers))

    assert set(heard) <= {"REQ1", "in doubt"}
    assert target.effects == ["k1"]
    assert [await outcome_of(ledger) for ledger in ledgers] == ["REQ1", "REQ1"]


async def test_a_look_that_brings_nothing_is_no_doubt(pool):
    ledger = await a_ledger(pool, Target(faults=["lost"]))

    assert await outcome_of(ledger, tool="look") == "unavailable"
    assert await pool.fetchval("SELECT count(*) FROM tool_calls") == 0


def test_no_order_of_calls_crashes_and_answers_acts_twice(migrated):
    async def opened(stack):
        address = await stack.enter_async_context(fresh_database(migrated))
        return await stack.enter_async_context(open_pool(address, size=4))

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        pool = runner.run(opened(stack))
        run_state_machine_as_test(
            lambda: Calls(runner, pool),
            settings=settings(
                max_examples=25,
                stateful_step_count=12,
                deadline=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(stack.aclose())


class Calls(RuleBasedStateMachine):
    """One decision, tried again and again by processes that die, against a target that fails."""

    def __init__(self, runner, pool):
        super().__init__()
        self._runner = runner
        self._key = new_id()
        self._target = Target()
        self._ledger = runner.run(a_ledger(pool, self._target))
        self._heard: list[str] = []

    @rule(fault=st.sampled_from(FAULTS), reconciles=st.booleans())
    def call(self, fault, reconciles):
        self._target.faults = [fault]
        self._target.reconciles = reconciles
        self._heard.append(self._runner.run(outcome_of(self._ledger, self._key)))

    @rule(times=st.integers(2, 4), reconciles=st.booleans())
    def the_same_turn_twice(self, times, reconciles):
        self._target.faults = []
        self._target.reconciles = reconciles
        for _ in range(times):
            self._heard.append(self._runner.run(outcome_of(self._ledger, self._key)))

    @invariant()
    def it_happened_at_most_once(self):
        assert len(self._target.effects) <= 1

    @invariant()
    def nobody_was_told_that_nothing_happened_when_it_did(self):
        if self._heard and self._heard[-1] in {"unavailable", "refused"}:
            assert self._target.effects == []

    @invariant()
    def nobody_was_told_that_it_happened_when_it_did_not(self):
        if self._heard and self._heard[-1] == "REQ1":
            assert len(self._target.effects) == 1
