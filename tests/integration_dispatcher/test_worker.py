import asyncio
from datetime import timedelta

import asyncpg
import pytest

from self_service_agent.channels.base import NoAddress, PermanentDeliveryError, TransientDeliveryError
from tests.integration_dispatcher.builders import (
    EMAIL,
    TEST,
    ScriptedChannel,
    a_planning,
    an_answer,
    an_open_channel,
    delivery_id_of,
    hand_over,
    override,
)
from tests.integration_dispatcher.stored import outcomes, statuses, until
from tests.integration_dispatcher.working import working


async def test_an_answer_wakes_the_worker_and_is_delivered_with_its_receipt(pool):
    channel, answer = ScriptedChannel(), an_answer(TEST)
    planning = a_planning(an_open_channel(channel))
    async with working(pool, planning) as notifier:
        await hand_over(pool, planning, [answer], notifier=notifier)
        row = await until(pool, delivery_id_of(answer), "DELIVERED")

    assert (row["external_id"], row["attempts"], row["lease_token"]) == ("test:#1", 1, None)
    assert row["delivered_at"] >= row["first_attempt_at"] == row["last_attempt_at"]
    assert [(each.delivery_id, each.content) for each in channel.replies] == [
        (delivery_id_of(answer), answer.response.content)
    ]


@pytest.mark.parametrize(
    ("error", "status", "message", "made"),
    [
        pytest.param(PermanentDeliveryError("gone"), "FAILED", "gone", ["permanent"], id="permanent"),
        pytest.param(TransientDeliveryError("busy"), "DEAD_LETTERED", "busy", ["transient"], id="no retries"),
        pytest.param(NoAddress("no url"), "SKIPPED", "no url", [], id="no address after all"),
        pytest.param(
            ZeroDivisionError("secret"),
            "DEAD_LETTERED",
            "the channel failed: ZeroDivisionError",
            ["transient"],
            id="a channel's own fault",
        ),
    ],
)
async def test_the_end_of_a_delivery_is_on_record(pool, *, error, status, message, made):
    planning, answer = a_planning(an_open_channel(ScriptedChannel(error))), an_answer(TEST)
    await override(pool, TEST, retry_count=0)
    await hand_over(pool, planning, [answer])

    async with working(pool, planning):
        row = await until(pool, delivery_id_of(answer), status)

    assert row["error_message"] == message
    assert await outcomes(pool, row["delivery_id"]) == [(1, outcome) for outcome in made]


async def test_a_channel_that_does_not_answer_in_time_has_an_unknown_outcome(pool):
    channel, answer = ScriptedChannel(), an_answer(TEST)
    channel.gate.clear()
    planning = a_planning(an_open_channel(channel, repeatable=False))
    await hand_over(pool, planning, [answer])

    async with working(pool, planning, timeout_seconds=0.01):
        row = await until(pool, delivery_id_of(answer), "UNKNOWN")

    assert await outcomes(pool, row["delivery_id"]) == [(1, "unknown")]


async def test_a_channel_that_was_switched_off_meanwhile_receives_nothing_and_the_record_says_why(pool):
    channel, answer = ScriptedChannel(), an_answer(TEST)
    planning = a_planning(an_open_channel(channel))
    await hand_over(pool, planning, [answer])
    await override(pool, TEST, enabled=False)

    async with working(pool, planning):
        row = await until(pool, delivery_id_of(answer), "SKIPPED")

    assert (row["error_message"], row["attempts"], channel.replies) == ("TEST is switched off by the user", 0, [])


async def test_a_channel_that_is_no_longer_configured_is_skipped(pool):
    answer = an_answer(TEST)
    await hand_over(pool, a_planning(an_open_channel()), [answer])

    async with working(pool, a_planning(an_open_channel(kind=EMAIL))):
        row = await until(pool, delivery_id_of(answer), "SKIPPED")

    assert row["error_message"] == "TEST is not configured here"


async def test_an_expired_delivery_is_not_sent(pool):
    channel, answer = ScriptedChannel(), an_answer(TEST)
    planning = a_planning(an_open_channel(channel), expiry=timedelta(0))
    await hand_over(pool, planning, [answer])

    async with working(pool, planning):
        row = await until(pool, delivery_id_of(answer), "EXPIRED")

    assert (row["attempts"], channel.replies) == (0, [])


async def test_the_answers_of_a_session_arrive_in_order_although_the_first_fails(pool):
    channel = ScriptedChannel(TransientDeliveryError("busy"))
    planning = a_planning(an_open_channel(channel))
    await override(pool, TEST, retry_delay_seconds=0)
    answers = [an_answer(TEST, content=str(number)) for number in range(5)]
    await hand_over(pool, planning, answers)

    async with working(pool, planning):
        await until(pool, delivery_id_of(answers[-1]), "DELIVERED")

    assert [each.content for each in channel.replies] == ["0", "0", "1", "2", "3", "4"]


async def test_a_failing_session_holds_up_nobody_else(pool):
    channel = ScriptedChannel(TransientDeliveryError("busy", retry_after=3600))
    planning = a_planning(an_open_channel(channel))
    held, follower, other = an_answer(TEST), an_answer(TEST), an_answer(TEST, session_id="other")
    await hand_over(pool, planning, [held])

    async with working(pool, planning) as notifier:
        await until(pool, delivery_id_of(held), "RETRYING")
        await hand_over(pool, planning, [follower, other], notifier=notifier)
        await until(pool, delivery_id_of(other), "DELIVERED")

    assert await statuses(pool) == ["RETRYING", "PENDING", "DELIVERED"]


async def test_more_than_a_channel_can_carry_at_once_is_delivered_all_the_same(pool):
    channel = ScriptedChannel()
    planning = a_planning(an_open_channel(channel))
    answers = [an_answer(TEST, session_id=str(number)) for number in range(50)]
    await hand_over(pool, planning, answers)

    async with working(pool, planning, concurrency=3):
        await asyncio.gather(*(until(pool, delivery_id_of(each), "DELIVERED") for each in answers))

    assert len(channel.replies) == 50


async def test_two_workers_send_each_delivery_once(pool):
    channel = ScriptedChannel()
    planning = a_planning(an_open_channel(channel))
    answers = [an_answer(TEST, session_id=str(number % 7)) for number in range(60)]
    await hand_over(pool, planning, answers)

    async with working(pool, planning, sweep_seconds=0.05), working(pool, planning, sweep_seconds=0.05):
        await asyncio.gather(*(until(pool, delivery_id_of(each), "DELIVERED") for each in answers))

    assert sorted(each.delivery_id for each in channel.replies) == sorted(map(delivery_id_of, answers))


async def test_an_idle_worker_asks_the_database_nothing(database):
    questions, asked = [], asyncio.Event()

    def note(logged):
        if "delivery_logs" in logged.query:
            questions.append(logged.query)
            asked.set()

    async def listen(connection):
        connection.add_query_logger(note)

    async with (
        asyncpg.create_pool(**database.arguments(), min_size=1, max_size=1, init=listen) as pool,
        working(pool, a_planning(an_open_channel())),
    ):
        await asked.wait()
        await asyncio.sleep(0.05)

    assert len(questions) == 2
