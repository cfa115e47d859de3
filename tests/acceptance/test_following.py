"""A request is followed from outside: its timeline, waits that end with news, streams that go on where they broke."""

import asyncio
import json
from datetime import datetime

import pytest

from self_service_agent.kit.ids import new_id
from self_service_agent.kit.service import take_leave
from tests.acceptance.house import as_person, eventually

ASYNC = "?async=true"
MAIL = {"delivery": {"channels": ["EMAIL"]}}
HANDED_OVER = "SELECT count(*) FROM event_inbox WHERE consumer = 'integration-dispatcher'"
DELIVERY = """
    INSERT INTO delivery_logs (delivery_id, request_id, session_id, user_id, integration_type, priority, status,
        content, attempts, max_attempts, retry_delay_seconds, error_message, last_attempt_at, delivered_at)
    SELECT $1, request_id, session_id, user_id, $2, 1, $3, 'text', $4, 4, 60, $5, $6, $6 FROM request_logs
"""
PROMPT = 4  # seconds, less than any sweep


@pytest.fixture
async def pair(houses):
    """Return two replicas: only the second has agents."""
    return await houses(agents=False), await houses()


async def submitted(house, content, **wishes):
    """Ask without waiting and return the request's address."""
    accepted = await house.ask(content, query=ASYNC, **wishes)
    return f"/api/v1/requests/{accepted.json()['request_id']}"


async def told(house, address, *, after=None, until="final", user="alice.johnson"):
    """Return (id, kind, data) of what a stream tells, up to an event of the kind `until`."""
    headers = as_person(user) | ({} if after is None else {"last-event-id": after})
    events, current = [], {}
    async with house.client.stream("GET", f"{address}/events", headers=headers) as response:
        assert response.status_code == 200
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if name in {"id", "event", "data"}:
                current[name] = value
            if name == "data":
                events.append((current.get("id"), current["event"], json.loads(value)))
                current = {}
                if events[-1][1] == until:
                    break
    return events


def text_of(events):
    return "".join(data["text"] for _, kind, data in events if kind == "token")


async def is_followed(house, *, times=1):
    queues = house.app.state.request_manager.followers._queues  # noqa: SLF001  # nothing outside shows that somebody waits
    return sum(map(len, queues.values())) >= times


async def test_the_status_tells_what_happened_when(house):
    gate = house.taker.hold("hello")
    address = await submitted(house, "hello")
    await house.taker.begun["hello"].wait()
    begun = (await house.get(f"{address}/status")).json()
    gate.set()
    done = (await house.get(f"{address}/status?wait=10")).json()

    assert (begun["status"], begun["timeline"]["answered"], begun["timeline"]["delivered"]) == ("processing", None, [])
    assert (done["status"], done["agent_id"], done["cancelled"]) == ("completed", "scripted", False)
    times = [datetime.fromisoformat(done["timeline"][step]) for step in ("accepted", "started", "answered")]
    assert times == sorted(times)
    assert done["timeline"]["started"] == begun["timeline"]["started"] == done["started_at"]


async def test_the_timeline_tells_of_each_channel(house):
    address = await submitted(house, "hello")
    await house.get(f"{address}/result?wait=10")
    sent = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
    await house.rows(DELIVERY, new_id(), "EMAIL", "DELIVERED", 2, None, sent)
    await house.rows(DELIVERY, new_id(), "SMS", "SKIPPED", 0, "SMS is not configured here", None)

    delivered = (await house.get(f"{address}/status")).json()["timeline"]["delivered"]

    assert [{name: value for name, value in step.items() if name != "planned_at"} for step in delivered] == [
        {
            "integration_type": "EMAIL", "status": "DELIVERED", "attempts": 2,
            "last_attempt_at": "2026-11-20T12:00:00Z", "next_attempt_at": None,
            "delivered_at": "2026-11-20T12:00:00Z", "reason": None,
        },
        {
            "integration_type": "SMS", "status": "SKIPPED", "attempts": 0, "last_attempt_at": None,
            "next_attempt_at": None, "delivered_at": None, "reason": "SMS is not configured here",
        },
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["", "/status", "/result", "/events", "/status?wait=5", "/result?wait=5"])
async def test_a_foreign_request_looks_like_none(house, path):
    address = await submitted(house, "hello")

    assert (await house.get(f"{address}{path}", user="john.doe")).status_code == 404
    assert (await house.get(f"/api/v1/requests/unknown%00{path}")).status_code == 404


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "soon"])
async def test_a_wait_has_bounds(house, wait):
    assert (await house.get(f"/api/v1/requests/any/status?wait={wait}")).status_code == 422


async def test_a_wait_without_news_ends_in_time(houses):
    house = await houses(agents=False)
    address = await submitted(house, "hello")

    status, result = [await house.get(f"{address}/{part}?wait=0.1") for part in ("status", "result")]

    assert (status.status_code, status.json()["status"]) == (200, "pending")
    assert (result.status_code, result.json()["result_url"]) == (202, f"{address}/result")


async def test_waits_at_one_replica_end_with_what_happens_at_the_other(pair):
    door, agents = pair
    gate = agents.taker.hold("hello")
    address = await submitted(door, "hello")
    beginning = door.get(f"{address}/status?wait=20")
    assert (await asyncio.wait_for(beginning, PROMPT)).json()["status"] == "processing"

    waiting = [asyncio.ensure_future(door.get(f"{address}/{part}?wait=20")) for part in ("status", "result") * 20]
    await eventually(lambda: is_followed(door, times=40))
    gate.set()
    answers = await asyncio.wait_for(asyncio.gather(*waiting), PROMPT)

    assert {answer.json()["status"] for answer in answers} == {"completed"}
    assert {answer.json()["response"]["content"] for answer in answers[1::2]} == {"echo: hello"}


async def test_waiting_does_not_change_where_the_answer_goes(pair):
    door, agents = pair
    gate = agents.taker.hold("hello")
    address = await submitted(door, "hello", body=MAIL)
    waiting = [asyncio.ensure_future(house.get(f"{address}/result?wait=20")) for house in pair]
    await eventually(lambda: is_followed(door))
    await eventually(lambda: is_followed(agents))
    gate.set()
    answers = await asyncio.gather(*waiting)

    assert {answer.json()["response"]["content"] for answer in answers} == {"echo: hello"}
    assert await door.value(HANDED_OVER) == 1


async def test_a_caller_that_hangs_up_leaves_nothing_behind(houses):
    house = await houses(agents=False)
    address = await submitted(house, "hello")
    waiting = [asyncio.ensure_future(house.get(f"{address}/{part}?wait=60")) for part in ("status", "result")]
    waiting.append(asyncio.ensure_future(told(house, address)))
    await eventually(lambda: is_followed(house))
    for asking in waiting:
        asking.cancel()

    async def is_quiet():
        return not await is_followed(house)

    await eventually(is_quiet)


@pytest.mark.parametrize("joined", [0, 1], ids=["where the agents are not", "where they are"])
async def test_a_request_is_followed_from_its_status_to_its_answer(pair, joined):
    gate = pair[1].taker.hold("one two")
    address = await submitted(pair[0], "one two")
    await pair[1].taker.begun["one two"].wait()
    following = asyncio.ensure_future(told(pair[joined], address))
    await eventually(lambda: is_followed(pair[joined]))
    gate.set()
    events = await asyncio.wait_for(following, PROMPT)

    assert [(number, kind) for number, kind, _ in events] == [
        ("2", "status"), ("8", "token"), ("12", "token"), ("15", "token"), ("final", "final"),
    ]  # fmt: skip
    assert text_of(events) == "echo: one two"
    assert events[-1][2] == (await pair[1].get(f"{address}/result")).json()


async def test_both_streams_number_the_same_events_alike(house):
    gate = house.taker.hold("one two")
    posting = asyncio.ensure_future(house.ask("one two", headers={"accept": "text/event-stream"}))
    await house.taker.begun["one two"].wait()
    request_id = await house.value("SELECT request_id FROM request_logs")
    following = asyncio.ensure_future(told(house, f"/api/v1/requests/{request_id}"))
    await eventually(lambda: is_followed(house))
    gate.set()

    ids = [line.removeprefix("id: ") for line in (await posting).text.splitlines() if line.startswith("id: ")]

    assert ids == ["1", *[number for number, _, _ in await following]]


@pytest.mark.parametrize("after", ["1", "2", "8", "12", "15"])
async def test_a_stream_goes_on_where_it_broke_in_another_process(pair, after):
    door, agents = pair
    address = await submitted(agents, "one two")
    await agents.get(f"{address}/result?wait=10")

    events = await told(door, address, after=after)

    assert text_of(events) == "echo: one two"[max(int(after) - 2, 0) :]
    assert events[-1][2]["response"]["content"] == "echo: one two"


async def test_a_process_that_stops_sends_its_followers_to_another(pair):
    door, agents = pair
    gate = agents.taker.hold("one two")
    address = await submitted(door, "one two")
    following = asyncio.ensure_future(told(door, address, until="resume"))
    await agents.taker.begun["one two"].wait()
    await eventually(lambda: is_followed(door))

    take_leave(door.app)
    events = await asyncio.wait_for(following, PROMPT)
    late = await asyncio.wait_for(told(door, address, until="resume"), PROMPT)
    gate.set()
    rest = await told(agents, address, after=events[-2][0])

    assert [kind for _, kind, _ in events][-2:] == [kind for _, kind, _ in late][-2:] == ["status", "resume"]
    assert events[-1][2]["events_url"] == f"{address}/events"
    assert text_of(rest) == "echo: one two"


@pytest.mark.parametrize("after", ["", "never", "-1", "9" * 5000, "²"])
async def test_everything_is_told_to_whoever_names_what_was_never_told(house, after):
    address = await submitted(house, "one two")
    await house.get(f"{address}/result?wait=10")

    assert text_of(await told(house, address, after=after.encode("latin-1"))) == "echo: one two"


async def test_whoever_was_told_everything_is_sent_away(house):
    address = await submitted(house, "hello")
    await house.get(f"{address}/result?wait=10")

    headers = as_person("alice.johnson") | {"last-event-id": "final"}
    again = await house.client.get(f"{address}/events", headers=headers)

    assert (again.status_code, again.content) == (204, b"")


async def test_a_streamed_request_that_is_repeated_goes_on_where_it_broke(house):
    stream = {"accept": "text/event-stream", "idempotency-key": "once"}
    await house.ask("one two", headers=stream)

    again = await house.ask("one two", headers=stream | {"last-event-id": "8"})

    assert [line for line in again.text.splitlines() if line.startswith("id: ")] == ["id: 12", "id: 15", "id: final"]


async def test_an_expired_request_is_gone(house):
    address = await submitted(house, "hello")
    await house.get(f"{address}/result?wait=10")
    await house.rows("UPDATE request_logs SET status = 'expired'")

    answers = [await house.get(f"{address}/{path}") for path in ("result?wait=5", "events")]

    assert [answer.status_code for answer in answers] == [410, 410]


async def test_followers_and_agents_that_come_later_find_each_other(houses):
    door = await houses(agents=False)
    address = await submitted(door, "hello")
    waiting = asyncio.ensure_future(door.get(f"{address}/result?wait=20"))
    await eventually(lambda: is_followed(door))

    await houses()

    answer = await asyncio.wait_for(waiting, PROMPT)
    assert answer.json()["response"]["content"] == "echo: hello"
