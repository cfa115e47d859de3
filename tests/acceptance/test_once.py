"""The same request again, and the same event again: one request, one turn, one answer."""

import asyncio

import pytest

from self_service_agent.eventing.envelope import CloudEvent
from self_service_agent.kit import clock
from self_service_agent.shared_models import events
from tests.acceptance.house import eventually, gather_ordered

KEY = {"idempotency-key": "the-key"}


async def requests_and_turns(house):
    requests = await house.value("SELECT count(*) FROM request_logs")
    turns = await house.value("SELECT count(*) FROM turns")
    return requests, turns, len(house.taker.taken)


async def test_a_repeated_key_gets_the_first_answer_again(house):
    first = await house.ask("hello", headers=KEY)
    again = await house.ask("hello", headers=KEY)

    assert first.status_code == 200
    assert again.json() == first.json()
    assert await requests_and_turns(house) == (1, 1, 1)


async def test_a_repeat_that_does_not_wait_hears_how_far_the_request_is(house):
    key = {"Idempotency-Key": "once"}
    first = await house.ask("hello", headers=key)

    again = await house.ask("hello", headers=key | {"Prefer": "respond-async"})

    assert (again.status_code, again.json()["status"]) == (202, "completed")
    assert again.json()["request_id"] == first.json()["request_id"]


async def test_concurrent_requests_with_one_key_are_one(house):
    answers = await gather_ordered(*(house.ask("hello", headers=KEY) for _ in range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["request_id"] for answer in answers}) == 1
    assert await requests_and_turns(house) == (1, 1, 1)


async def test_a_repetition_waits_for_the_turn_that_still_runs(house):
    gate = house.taker.hold("hello")
    first = asyncio.ensure_future(house.ask("hello", headers=KEY))
    await house.taker.begun["hello"].wait()
    again = asyncio.ensure_future(house.ask("hello", headers=KEY))
    waiting = house.app.state.request_manager.requests.waiters
    await eventually(lambda: _is_shared(waiting))
    gate.set()
    answers = await asyncio.gather(first, again)

    assert answers[0].json() == answers[1].json()
    assert await requests_and_turns(house) == (1, 1, 1)


async def _is_shared(waiters):
    return any(len(callers) > 1 for callers in waiters._futures.values())  # noqa: SLF001  # nothing outside shows that both wait


@pytest.mark.parametrize("change", [{"content": "other"}, {"metadata": {"a": 1}}, {"session_name": "other"}])
async def test_a_reused_key_is_refused(house, change):
    await house.ask("hello", headers=KEY)

    refused = await house.ask("hello", headers=KEY, body=change)

    assert refused.status_code == 422
    assert "Idempotency-Key" in refused.json()["error"]
    assert await requests_and_turns(house) == (1, 1, 1)


async def test_keys_of_different_people_have_nothing_to_do_with_each_other(house):
    answers = [await house.ask("hello", headers=KEY, user=user) for user in ("alice.johnson", "john.doe")]

    assert len({answer.json()["request_id"] for answer in answers}) == 2


async def test_replicas_that_get_one_key_at_once_store_one_request(houses):
    first, second = await houses(), await houses()

    for number in range(10):
        key = {"idempotency-key": f"key-{number}"}
        asked = [house.ask("hello", headers=key) for house in (first, second, first, second)]
        answers = await gather_ordered(*asked)

        assert [answer.status_code for answer in answers] == [200] * 4
        assert len({answer.json()["request_id"] for answer in answers}) == 1


async def test_an_event_published_twice_is_handled_once(house):
    answer = (await house.ask("hello")).json()
    stored = await house.rows("SELECT normalized_request::text AS data FROM request_logs")
    again = CloudEvent(
        id=answer["request_id"],
        source=events.REQUEST_MANAGER,
        type=events.REQUEST_CREATED,
        time=clock.now(),
        extensions={"partitionkey": answer["session_id"]},
        data=stored[0]["data"].encode(),
    )
    async with house.platform.pools.durable.acquire() as connection:
        await house.platform.bus.publish([again], connection)
    house.platform.bus.published(events.REQUEST_CREATED)
    await house.ask("later")

    assert house.taker.taken == ["hello", "later"]


async def test_an_answer_recorded_twice_changes_nothing(house):
    answer = (await house.ask("hello")).json()
    other = {
        "request_id": answer["request_id"], "session_id": answer["session_id"], "user_id": "somebody",
        "agent_id": "impostor", "content": "something else", "created_at": clock.now().isoformat(),
    }  # fmt: skip
    event = CloudEvent(
        id="another-id",
        source=events.AGENT_SERVICE,
        type=events.RESPONSE_READY,
        time=clock.now(),
        extensions={"partitionkey": answer["session_id"]},
        data=events.ResponseReady.model_validate(other).model_dump_json().encode(),
    )
    async with house.platform.pools.durable.acquire() as connection:
        await house.platform.bus.publish([event], connection)
    house.platform.bus.published(events.RESPONSE_READY)
    await eventually(lambda: house.value("SELECT EXISTS (SELECT FROM processed_events WHERE event_id = 'another-id')"))

    assert (await house.get(f"/api/v1/requests/{answer['request_id']}/result")).json() == answer
