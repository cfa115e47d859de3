from datetime import timedelta

import pytest

from self_service_agent.channels.base import PermanentDeliveryError
from self_service_agent.integration_dispatcher.deliveries.queue import DeliveryQueue, Report
from self_service_agent.integration_dispatcher.deliveries.rules import Attempt, RetryPolicy, failed
from self_service_agent.integration_dispatcher.deliveries.worker import DeliveryWorkers
from self_service_agent.kit import clock
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.users import user_id_of
from tests.integration_dispatcher.builders import (
    ALICE,
    TEST,
    WEBHOOK,
    an_answer,
    delivery_id_of,
    hand_over,
    override,
    some_settings,
)
from tests.integration_dispatcher.stored import outcomes, until

DELIVERIES = "/api/v1/deliveries"


async def give_up(pool):
    """Let everything that is due fail for good."""
    queue = DeliveryQueue(pool, lease=timedelta(minutes=1))
    attempt = Attempt(
        number=1, policy=RetryPolicy(max_attempts=2, delay=timedelta(0)), taken_over=False, repeatable=True,
        expires_at=None,
    )  # fmt: skip
    verdict = failed(PermanentDeliveryError("gone"), attempt, now=clock.now())
    await queue.record([
        Report(delivery_id=each.delivery_id, lease_token=each.lease_token, verdict=verdict, started_at=clock.now())
        for each in await queue.claim({TEST: 100})
    ])  # fmt: skip


async def test_the_history_is_newest_first_and_says_why(api, pool, planning):
    first, second = an_answer(TEST), an_answer(WEBHOOK, TEST)
    await hand_over(pool, planning, [first])
    await hand_over(pool, planning, [second])

    rows = (await api.get(f"/api/v1/users/{ALICE}/deliveries", params={"limit": 2, "offset": 0})).json()

    assert [(row["delivery_id"], row["status"], row["error_message"]) for row in rows] == [
        (delivery_id_of(second, WEBHOOK), "SKIPPED", "WEBHOOK is not a channel of this installation"),
        (delivery_id_of(second), "PENDING", None),
    ]
    assert (rows[1]["user_id"], rows[1]["content"], rows[1]["attempts"], rows[1]["max_attempts"]) == (
        user_id_of(ALICE), "Your new laptop is ordered.", 0, 2,
    )  # fmt: skip


async def test_a_page_has_200_entries_at_most(api):
    assert (await api.get(f"/api/v1/users/{ALICE}/deliveries", params={"limit": 201})).status_code == 422


@pytest.mark.parametrize(
    ("search", "count"),
    [
        pytest.param({}, 3, id="all"),
        pytest.param({"status": "SUCCESS"}, 0, id="the older word for delivered"),
        pytest.param({"status": "failed"}, 2, id="status"),
        pytest.param({"integration_type": "webhook"}, 1, id="type"),
        pytest.param({"user_id": "bob", "status": "FAILED"}, 1, id="user"),
        pytest.param({"user_id": "nobody"}, 0, id="nobody"),
    ],
)
async def test_an_administrator_searches_all_deliveries(api, pool, *, planning, search, count):
    await hand_over(pool, planning, [an_answer(TEST, WEBHOOK), an_answer(TEST, user="bob", session_id="b")])
    await give_up(pool)

    assert len((await api.get(DELIVERIES, params=search)).json()) == count


async def test_a_delivery_that_failed_is_replayed_with_all_its_retries(api, pool, planning):
    answer = an_answer(TEST)
    url = f"{DELIVERIES}/{delivery_id_of(answer)}"
    await hand_over(pool, planning, [answer])
    await give_up(pool)
    (dead,) = (await api.get(f"{DELIVERIES}/dead-letters")).json()
    await override(pool, TEST, retry_count=4)

    replayed = (await api.post(f"{url}/replay")).json()
    again = await api.post(f"{url}/replay")
    async with DeliveryWorkers(pool, Notifier(), planning, settings=some_settings()).running():
        await until(pool, delivery_id_of(answer), "DELIVERED")

    assert (dead["status"], dead["error_message"], again.status_code) == ("FAILED", "gone", 409)
    assert (replayed["status"], replayed["attempts"], replayed["max_attempts"]) == ("PENDING", 0, 5)
    assert await outcomes(pool, delivery_id_of(answer)) == [(1, "permanent"), (2, "delivered")]
    assert [each["outcome"] for each in (await api.get(f"{url}/attempts")).json()] == ["permanent", "delivered"]
    assert (await api.get(url)).json()["status"] == "DELIVERED"


async def test_a_skipped_delivery_can_be_replayed(api, pool, planning):
    answer = an_answer(TEST)
    await override(pool, TEST, enabled=False)
    await hand_over(pool, planning, [answer])
    await override(pool, TEST, enabled=True)

    replayed = await api.post(f"{DELIVERIES}/{delivery_id_of(answer)}/replay")

    assert (replayed.json()["status"], replayed.json()["error_message"]) == ("PENDING", None)


async def test_explain_says_of_each_channel_where_it_leads_or_why_not(api, pool):
    used = (await api.get(f"/api/v1/users/{ALICE}/explain")).json()
    await override(pool, TEST, enabled=False)
    unused = (await api.get(f"/api/v1/users/{ALICE}/explain")).json()

    (channel,) = used["channels"]
    assert (used["user_id"], used["policy"]) == (ALICE, "all")
    assert (channel["would_be_used"], channel["address"], channel["reason"]) == (True, {"url": "test:"}, None)
    assert (unused["channels"][0]["would_be_used"], unused["channels"][0]["reason"]) == (
        False, "TEST is switched off by the user",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("caller", "path", "status"),
    [
        pytest.param("mallory", "", 403, id="the list is not for everybody"),
        pytest.param("mallory", "/dead-letters", 403, id="nor are the dead letters"),
        pytest.param("mallory", "/{id}", 403, id="nor is somebody else's delivery"),
        pytest.param("mallory", "/{id}/attempts", 403, id="nor are its attempts"),
        pytest.param(ALICE, "/{id}", 200, id="one's own is"),
        pytest.param(ALICE, "/unknown", 403, id="which ids exist is not told"),
        pytest.param("admin", "/unknown", 404, id="but to administrators"),
        pytest.param("admin", "/%00", 404, id="NUL is no id"),
    ],
)
async def test_who_may_see_which_delivery(api, pool, *, planning, caller, path, status):
    answer = an_answer(TEST)
    await hand_over(pool, planning, [answer])

    url = DELIVERIES + path.format(id=delivery_id_of(answer))
    assert (await api.get(url, headers={"x-caller": caller})).status_code == status
