"""A request that no agent has begun can be withdrawn; one that is begun cannot, and nobody is told otherwise."""

import asyncio

import pytest

from self_service_agent.kit import clock
from tests.acceptance.house import as_person, eventually

CONTENT = "This request was cancelled before an agent began to work on it. Nothing was done."
MAIL = {"delivery": {"mode": "both", "channels": ["EMAIL"]}}
HANDED_OVER = "SELECT count(*) FROM event_inbox WHERE consumer = 'integration-dispatcher'"
ONE_AT_A_TIME = {"turn_concurrency": 1}


async def cancel(house, request_id, *, user="alice.johnson"):
    return await house.client.post(f"/api/v1/requests/{request_id}/cancel", headers=as_person(user))


async def id_of(house, content):
    """Return the id of the request with this content, once it is stored."""
    query = "SELECT request_id FROM request_logs WHERE request_content = $1"
    return await eventually(lambda: house.value(query, content))


async def queued(house, content):
    """Wait until a request has a turn, and return its id."""
    request_id = await id_of(house, content)
    await eventually(lambda: house.value("SELECT request_id FROM turns WHERE request_id = $1", request_id))
    return request_id


async def test_a_waiting_caller_is_told_that_its_request_was_cancelled(house):
    gate = house.taker.hold("first")
    first = asyncio.ensure_future(house.ask("first"))
    await house.taker.begun["first"].wait()
    asked = [asyncio.ensure_future(house.ask(content, body=MAIL)) for content in ("second", "third")]
    cancelled = await cancel(house, await queued(house, "second"))
    second = await asked[0]
    gate.set()
    third = await asked[1]

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "failed")
    assert cancelled.json()["response"]["content"] == CONTENT
    assert cancelled.json()["response"]["metadata"] == {"cancelled": True, "engine": "none", "expects": "text"}
    assert second.json() == cancelled.json()
    assert (await first).json()["response"]["content"] == "echo: first"
    assert third.json()["response"]["content"] == "echo: third"
    assert house.taker.taken == ["first", "third"]
    handed_over = "SELECT data -> 'response' ->> 'content' AS said FROM event_inbox WHERE consumer LIKE '%dispatcher'"
    assert [row["said"] for row in await house.rows(handed_over)] == ["echo: third"]


async def test_messages_behind_a_cancelled_one_go_on(houses):
    house = await houses(agent_service=ONE_AT_A_TIME)
    gate = house.taker.hold("busy")
    busy = asyncio.ensure_future(house.ask("busy", user="john.doe"))
    await house.taker.begun["busy"].wait()
    await house.ask("head", query="?async=1")
    await queued(house, "head")
    tails = [asyncio.ensure_future(house.ask(f"tail {number}")) for number in range(3)]
    await queued(house, "tail 2")

    assert (await cancel(house, await id_of(house, "head"))).status_code == 200
    gate.set()
    await asyncio.wait_for(asyncio.gather(busy, *tails), 5)

    assert house.taker.taken[0] == "busy"
    assert sorted(house.taker.taken[1:]) == ["tail 0", "tail 1", "tail 2"]


async def test_a_request_that_is_not_queued_yet_never_runs(houses):
    door = await houses(agents=False)
    await door.ask("early", query="?async=1")

    assert (await cancel(door, await id_of(door, "early"))).status_code == 200
    agents = await houses()
    await agents.ask("later")

    assert agents.taker.taken == ["later"]


async def test_cancelling_at_one_replica_answers_who_waits_at_the_other(houses):
    first, second = await houses(agents=False), await houses(agents=False)
    waiting = asyncio.ensure_future(first.ask("hello", body=MAIL))
    request_id = await id_of(second, "hello")
    looking = asyncio.ensure_future(first.get(f"/api/v1/requests/{request_id}/result?wait=20"))

    cancelled = await cancel(second, request_id)
    answers = await asyncio.wait_for(asyncio.gather(waiting, looking), 4)

    assert [answer.json() for answer in answers] == [cancelled.json()] * 2
    assert await first.value(HANDED_OVER) == 0


async def test_cancelling_again_changes_nothing(houses):
    house = await houses(agents=False)
    await house.ask("hello", query="?async=1")
    request_id = await id_of(house, "hello")

    answers = [await cancel(house, request_id) for _ in range(2)]
    state = (await house.get(f"/api/v1/requests/{request_id}/status")).json()

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert (state["status"], state["cancelled"], state["timeline"]["started"]) == ("failed", True, None)


async def test_a_streaming_caller_is_told_that_its_request_was_cancelled(houses):
    house = await houses(agents=False)
    streaming = asyncio.ensure_future(house.ask("hello", headers={"accept": "text/event-stream"}))

    await cancel(house, await id_of(house, "hello"))

    assert '"cancelled":true' in (await streaming).text.split("event: final")[1]


async def test_what_an_agent_has_begun_is_not_cancelled(house):
    gate = house.taker.hold("hello")
    asking = asyncio.ensure_future(house.ask("hello"))
    await house.taker.begun["hello"].wait()
    refused = await cancel(house, await id_of(house, "hello"))
    gate.set()
    answer = await asking
    late = await cancel(house, answer.json()["request_id"])

    assert (refused.status_code, refused.json()["detail"]) == (
        409, "An agent is at this request already; it cannot be cancelled any more",
    )  # fmt: skip
    assert answer.json()["response"]["content"] == "echo: hello"
    assert (late.status_code, late.json()["detail"]) == (409, "This request is answered already")


async def test_an_expired_request_is_not_cancelled(houses):
    house = await houses(agents=False)
    await house.ask("hello", query="?async=1")
    await house.rows("UPDATE request_logs SET status = 'expired', completed_at = $1", clock.now())

    refused = await cancel(house, await id_of(house, "hello"))

    assert (refused.status_code, refused.json()["detail"]) == (409, "This request has expired")


@pytest.mark.parametrize(("user", "status"), [("john.doe", 404), ("web-admin", 200)])
async def test_only_its_owner_and_administrators_cancel_a_request(houses, user, status):
    house = await houses(agents=False)
    await house.ask("hello", query="?async=1")

    assert (await cancel(house, await id_of(house, "hello"), user=user)).status_code == status


async def test_a_request_is_either_cancelled_or_answered_whoever_is_quicker(houses):
    first, second = await houses(), await houses()
    outcomes = set()
    for number in range(50):
        house, content = (first, second)[number % 2], f"question {number}"
        accepted = await house.ask(content, user=f"person-{number}", query="?async=1")
        request_id = accepted.json()["request_id"]
        await asyncio.sleep(number % 5 / 500)
        cancelled = await cancel(second, request_id, user=f"person-{number}")
        result = await house.get(f"/api/v1/requests/{request_id}/result?wait=10", user=f"person-{number}")
        takers = (first.taker.taken + second.taker.taken).count(content)
        outcomes.add((cancelled.status_code, result.json()["status"], takers))

    assert outcomes <= {(200, "failed", 0), (409, "completed", 1)}
    assert await first.value("SELECT count(*) FROM turns WHERE finished_at IS NULL") == 0
