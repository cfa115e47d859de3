from datetime import timedelta

from self_service_agent.channels.base import Receipt, TransientDeliveryError
from self_service_agent.integration_dispatcher.deliveries.queue import DeliveryQueue, Report
from self_service_agent.integration_dispatcher.deliveries.rules import Attempt, RetryPolicy, Verdict, delivered, failed
from self_service_agent.kit import clock
from self_service_agent.shared_models.deliveries import DeliveryStatus
from tests.integration_dispatcher.builders import (
    EMAIL,
    TEST,
    a_planning,
    an_answer,
    an_open_channel,
    delivery_id_of,
    hand_over,
    override,
)
from tests.integration_dispatcher.stored import delivery, outcomes

PLANNING = a_planning(an_open_channel(), an_open_channel(kind=EMAIL))
SLOTS = {TEST: 10, EMAIL: 10}
DONE = delivered(Receipt(external_id="1"))


def a_queue(pool, *, lease=60):
    return DeliveryQueue(pool, lease=timedelta(seconds=lease))


def a_report(claimed, verdict=DONE):
    return Report(
        delivery_id=claimed.delivery_id, lease_token=claimed.lease_token, verdict=verdict, started_at=clock.now()
    )


def retry_in(seconds):
    attempt = Attempt(
        number=1, policy=RetryPolicy(max_attempts=9, delay=timedelta(seconds=seconds)), taken_over=False,
        repeatable=True, expires_at=None,
    )  # fmt: skip
    return failed(TransientDeliveryError("busy"), attempt, now=clock.now())


async def test_a_claimed_delivery_is_nobody_elses(pool):
    await hand_over(pool, PLANNING, [an_answer(TEST)])

    (first,) = await a_queue(pool).claim(SLOTS)
    second = await a_queue(pool).claim(SLOTS)

    assert (first.attempt, first.taken_over, second) == (1, False, ())
    assert await outcomes(pool, first.delivery_id) == [(1, "started")]


async def test_a_claim_brings_the_persons_present_override(pool):
    await hand_over(pool, PLANNING, [an_answer(TEST)])
    await override(pool, TEST, enabled=False, config={"url": "there"})

    (claimed,) = await a_queue(pool).claim(SLOTS)

    assert claimed.recipient.person.login == "alice.johnson"
    assert claimed.recipient.overrides[TEST].config == {"url": "there"}
    assert claimed.origin == {"thread_id": "thread-1"}


async def test_a_full_channel_is_not_claimed_from(pool):
    await hand_over(pool, PLANNING, [an_answer(TEST, session_id=str(number)) for number in range(3)])

    claimed = await a_queue(pool).claim({TEST: 2, EMAIL: 5})

    assert len(claimed) == 2


async def test_a_lease_that_ran_out_is_taken_over_and_its_late_report_refused(pool):
    await hand_over(pool, PLANNING, [an_answer(TEST)])
    queue = a_queue(pool, lease=0)
    (slow,) = await queue.claim(SLOTS)
    (quick,) = await queue.claim(SLOTS)

    assert await queue.record([a_report(slow, retry_in(60)), a_report(quick)]) == [False, True]

    row = await delivery(pool, slow.delivery_id)
    assert (quick.taken_over, quick.attempt, row["status"], row["attempts"]) == (True, 2, "DELIVERED", 2)
    assert await outcomes(pool, slow.delivery_id) == [(1, "unknown"), (2, "delivered")]


async def test_a_head_that_waits_holds_up_its_own_session_and_channel_only(pool):
    first, second = an_answer(TEST, EMAIL, session_id="a"), an_answer(TEST, EMAIL, session_id="a")
    other = an_answer(TEST, session_id="b")
    await hand_over(pool, PLANNING, [first, second, other])
    queue = a_queue(pool)
    heads = await queue.claim(SLOTS)
    failing, *fine = sorted(heads, key=lambda each: each.delivery_id != delivery_id_of(first, TEST))

    await queue.record([a_report(failing, retry_in(60)), *map(a_report, fine)])
    followers = await queue.claim(SLOTS)

    assert {each.delivery_id for each in heads} == {
        delivery_id_of(first, TEST), delivery_id_of(first, EMAIL), delivery_id_of(other, TEST),
    }  # fmt: skip
    assert [each.delivery_id for each in followers] == [delivery_id_of(second, EMAIL)]


async def test_a_final_head_lets_its_follower_go(pool):
    first, second = an_answer(TEST), an_answer(TEST)
    await hand_over(pool, PLANNING, [first, second])
    queue = a_queue(pool)
    (head,) = await queue.claim(SLOTS)
    await queue.record([a_report(head, Verdict(status=DeliveryStatus.FAILED, error="gone"))])

    (follower,) = await queue.claim(SLOTS)

    assert follower.delivery_id == delivery_id_of(second)


async def test_the_next_due_time_is_that_of_a_head(pool):
    await hand_over(pool, PLANNING, [an_answer(TEST), an_answer(TEST)])
    queue = a_queue(pool)
    (head,) = await queue.claim(SLOTS)
    await queue.record([a_report(head, retry_in(100))])

    wait = await queue.next_due([TEST, EMAIL])

    assert timedelta(seconds=98) < wait <= timedelta(seconds=100)
    assert await queue.next_due([EMAIL]) is None


async def test_what_was_not_tried_leaves_no_attempt_behind(pool):
    await hand_over(pool, PLANNING, [an_answer(TEST)])
    queue = a_queue(pool)
    (claimed,) = await queue.claim(SLOTS)

    await queue.record([a_report(claimed, Verdict(status=DeliveryStatus.SKIPPED, error="off"))])

    row = await delivery(pool, claimed.delivery_id)
    assert (row["status"], row["attempts"], row["first_attempt_at"], row["error_message"]) == (
        "SKIPPED",
        0,
        None,
        "off",
    )
    assert await outcomes(pool, claimed.delivery_id) == []
