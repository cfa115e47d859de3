"""Crashes, lost leases, shut-downs and a database that fails."""

import asyncio
from datetime import timedelta

import pytest

from self_service_agent.integration_dispatcher.deliveries.queue import DeliveryQueue
from self_service_agent.integration_dispatcher.deliveries.sending import Sender
from tests.integration_dispatcher.builders import (
    TEST,
    ScriptedChannel,
    a_planning,
    an_answer,
    an_open_channel,
    delivery_id_of,
    hand_over,
)
from tests.integration_dispatcher.stored import delivery, outcomes, statuses, until
from tests.integration_dispatcher.working import working


async def test_a_crash_between_send_and_record_repeats_with_the_same_delivery_id(pool):
    channel, answer = ScriptedChannel(), an_answer(TEST)
    planning = a_planning(an_open_channel(channel))
    await hand_over(pool, planning, [answer])
    (lost,) = await DeliveryQueue(pool, lease=timedelta(0)).claim({TEST: 1})
    await Sender(planning, timeout=timedelta(seconds=1)).send(lost)

    async with working(pool, planning):
        row = await until(pool, lost.delivery_id, "DELIVERED")

    assert [each.delivery_id for each in channel.replies] == [lost.delivery_id] * 2
    assert await outcomes(pool, row["delivery_id"]) == [(1, "unknown"), (2, "delivered")]


async def test_a_cut_off_attempt_is_not_repeated_where_it_would_be_seen_twice(pool):
    channel, answer = ScriptedChannel(), an_answer(TEST)
    planning = a_planning(an_open_channel(channel, repeatable=False))
    await hand_over(pool, planning, [answer])
    await DeliveryQueue(pool, lease=timedelta(0)).claim({TEST: 1})

    async with working(pool, planning):
        row = await until(pool, delivery_id_of(answer), "UNKNOWN")

    assert (channel.replies, await outcomes(pool, row["delivery_id"])) == ([], [(1, "unknown")])


async def test_closing_lets_a_running_send_end_and_gives_back_what_has_not_begun(pool):
    channel = ScriptedChannel()
    channel.gate.clear()
    planning = a_planning(an_open_channel(channel))
    await hand_over(pool, planning, [an_answer(TEST, session_id=str(number)) for number in range(2)])

    async with working(pool, planning, concurrency=1):
        await channel.arrived.wait()
        asyncio.get_running_loop().call_later(0.05, channel.gate.set)

    assert sorted(await statuses(pool)) == ["DELIVERED", "PENDING"]
    rows = await pool.fetch("SELECT attempts, lease_token FROM delivery_logs WHERE status = 'PENDING'")
    assert [tuple(row) for row in rows] == [(0, None)]
    assert await pool.fetchval("SELECT count(*) FROM delivery_attempts") == 1


async def test_closing_does_not_wait_longer_than_its_budget(pool):
    channel, answer = ScriptedChannel(), an_answer(TEST)
    channel.gate.clear()
    planning = a_planning(an_open_channel(channel))
    await hand_over(pool, planning, [answer])

    async with working(pool, planning, drain_seconds=0.01):
        await channel.arrived.wait()

    row = await delivery(pool, delivery_id_of(answer))
    assert (row["status"], row["attempts"], row["lease_token"] is not None) == ("PENDING", 1, True)


async def test_a_worker_that_lost_its_lease_leaves_the_delivery_alone(pool):
    channel, answer = ScriptedChannel(), an_answer(TEST)
    channel.gate.clear()
    planning = a_planning(an_open_channel(channel))
    await hand_over(pool, planning, [answer])

    async with working(pool, planning):
        await channel.arrived.wait()
        await pool.execute("UPDATE delivery_logs SET lease_token = 'another'")
        channel.gate.set()

    row = await delivery(pool, delivery_id_of(answer))
    assert (row["status"], row["lease_token"]) == ("PENDING", "another")


async def test_a_delivery_that_waited_too_long_for_its_turn_is_given_back_and_comes_again(pool):
    channel = ScriptedChannel()
    channel.gate.clear()
    planning = a_planning(an_open_channel(channel))
    slow, waiting = an_answer(TEST, session_id="a"), an_answer(TEST, session_id="b")
    await hand_over(pool, planning, [slow, waiting])

    async with working(pool, planning, concurrency=1, lease_seconds=0.3, timeout_seconds=0.2):
        await until(pool, delivery_id_of(slow), "RETRYING")
        channel.gate.set()
        await until(pool, delivery_id_of(waiting), "DELIVERED")

    assert await outcomes(pool, delivery_id_of(waiting)) == [(1, "delivered")]


@pytest.mark.parametrize("write", [pytest.param("INSERT", id="claiming"), pytest.param("UPDATE", id="recording")])
async def test_a_database_that_fails_for_a_while_costs_no_delivery(pool, write):
    channel, answer = ScriptedChannel(), an_answer(TEST)
    planning = a_planning(an_open_channel(channel))
    await hand_over(pool, planning, [answer])
    await pool.execute(f"""
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk full'; END $$;
        CREATE TRIGGER broken BEFORE {write} ON delivery_attempts FOR EACH ROW EXECUTE FUNCTION fail();
    """)

    async with working(pool, planning):
        await asyncio.sleep(0.05)
        await pool.execute("DROP TRIGGER broken ON delivery_attempts")
        await until(pool, delivery_id_of(answer), "DELIVERED")

    assert [each.delivery_id for each in channel.replies] == [delivery_id_of(answer)]
