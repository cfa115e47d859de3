from self_service_agent.integration_dispatcher.deliveries.queue import TOPIC
from self_service_agent.kit.notifications import Notifier
from tests.integration_dispatcher.builders import (
    TEST,
    a_planning,
    an_answer,
    an_open_channel,
    delivery_id_of,
    hand_over,
    override,
)
from tests.integration_dispatcher.stored import delivery, statuses

PLANNING = a_planning(an_open_channel())


async def test_the_same_event_twice_is_one_delivery(pool):
    answer = an_answer(TEST)

    await hand_over(pool, PLANNING, [answer, answer])
    await hand_over(pool, PLANNING, [answer])

    assert await statuses(pool) == ["PENDING"]


async def test_each_person_of_a_batch_has_their_own_configuration(pool):
    await override(pool, TEST, user="bob", enabled=False)
    answers = [an_answer(TEST, user="alice"), an_answer(TEST, user="bob"), an_answer(TEST, user="carol")]

    await hand_over(pool, PLANNING, answers)

    assert await statuses(pool) == ["PENDING", "SKIPPED", "PENDING"]
    assert (await delivery(pool, delivery_id_of(answers[1])))["error_message"] == "TEST is switched off by the user"


async def test_the_workers_are_woken_after_the_commit(pool):
    notifier, woken = Notifier(), []
    notifier.listen(TOPIC, woken.append)

    await hand_over(pool, PLANNING, [an_answer(TEST)], notifier=notifier)

    assert woken == [""]
