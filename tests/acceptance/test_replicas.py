"""Two processes on one database: callers are answered wherever they wait, also after a lost connection."""

import asyncio

import pytest

from self_service_agent.kit.notifications import PRESENCE
from tests.acceptance.house import eventually

LISTENERS = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = $1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
async def pair(houses):
    """Return two replicas: the first only takes requests, the second has the agents and all the consumers' work."""
    return await houses(agents=False), await houses()


async def test_a_caller_is_answered_by_the_other_replica(pair):
    door, agents = pair
    await know_each_other(*pair)

    answers = await asyncio.gather(*(door.ask(f"question {n}", user=f"person-{n}") for n in range(20)))

    assert [answer.json()["response"]["content"] for answer in answers] == [f"echo: question {n}" for n in range(20)]
    assert len(agents.taker.taken) == 20
    assert door.taker.taken == []


async def test_a_caller_is_woken_by_the_replica_that_recorded_its_answer(pair):
    """The first replica's own consumer is kept from the answer by the lane's lock, which the second one holds."""
    door, _ = pair
    woken = []
    door.platform.notifier.listen(f"results/{door.platform.notifier.replica}", woken.append)
    recorded_elsewhere = 0

    for number in range(40):
        before = len(woken)
        started = asyncio.get_running_loop().time()
        assert (await door.ask(f"question {number}")).status_code == 200
        assert asyncio.get_running_loop().time() - started < 4  # the sweep that finds lost answers comes after five
        recorded_elsewhere += len(woken) > before

    assert recorded_elsewhere


async def test_progress_reaches_a_caller_at_the_other_replica(pair):
    door, _ = pair
    headers = {"accept": "text/event-stream"}

    answer = await door.ask("one two", headers=headers)

    assert answer.text.count("event: token") == 3
    assert answer.text.count("event: final") == 1


async def test_answers_come_while_the_listening_connections_are_lost_and_later_they_are_back(pair):
    door, _ = pair
    before = await listeners(door)
    assert len(before) == 2

    await door.rows("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid", list(before))
    during = await door.ask("during")
    await eventually(lambda: is_replaced(door, before))
    after = await door.ask("after")

    assert [during.json()["response"]["content"], after.json()["response"]["content"]] == [
        "echo: during",
        "echo: after",
    ]


async def test_a_request_whose_replica_was_killed_is_answered_on_its_channels(houses):
    house = await houses()
    gate = house.taker.hold("hello")
    asking = asyncio.ensure_future(house.ask("hello", body={"delivery": {"channels": ["EMAIL"]}}))
    await house.taker.begun["hello"].wait()
    await house.rows("UPDATE request_logs SET reply_to = 'a-replica-that-was-killed'")

    await houses(agents=False)  # whoever starts looks for what others left behind
    asking.cancel()
    gate.set()
    handed_over = "SELECT count(*) FROM event_inbox WHERE consumer = 'integration-dispatcher'"

    assert await eventually(lambda: house.value(handed_over)) == 1


async def listeners(house):
    return {row["pid"] for row in await house.rows(LISTENERS, PRESENCE)}


async def is_replaced(house, before):
    now = await listeners(house)
    return len(now) == 2 and not now & before


async def know_each_other(*houses):
    await eventually(lambda: _know_each_other(houses))


async def _know_each_other(houses):
    return all(house.platform.notifier._others for house in houses)  # noqa: SLF001  # nothing outside shows it
