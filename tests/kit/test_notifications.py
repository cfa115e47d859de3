"""Wake-ups reach every process, as long as it lives, and again after its connection was lost."""

import asyncio
from datetime import timedelta

import pytest

from self_service_agent.kit.notifications import PRESENCE, Notifier, Wakeup

MILLISECOND = timedelta(milliseconds=1)
PRESENT = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND objid = hashtext($2)::bit(32)::bigint"
)


class Heard:
    """Remembers the messages of one topic."""

    def __init__(self, notifier, topic="topic") -> None:
        self.messages = asyncio.Queue()
        notifier.listen(topic, self.messages.put_nowait)

    async def next(self):
        """Return the next message that is one; reconnecting wakes everybody without a message."""
        async with asyncio.timeout(10):
            while not (message := await self.messages.get()):
                pass
            return message


@pytest.fixture
async def pair(database):
    """Yield two notifiers that know of each other."""
    first, second = Notifier(replica="first"), Notifier(replica="second")
    hello = first.wakeup("anything")
    async with first.running(database), second.running(database):
        assert await hello.wait(sweep=timedelta(seconds=10))
        yield first, second


async def test_a_wakeup_before_the_wait_is_not_lost():
    flag = Wakeup()
    flag.set()

    assert await flag.wait(sweep=MILLISECOND)
    assert not await flag.wait(sweep=MILLISECOND)


async def test_a_listener_in_the_same_process_hears_at_once_and_until_it_ends():
    notifier, heard = Notifier(), []
    end = notifier.listen("topic", heard.append)

    notifier.notify("topic", "a")
    notifier.notify("elsewhere", "b")
    end()
    notifier.notify("topic", "c")

    assert heard == ["a"]


async def test_another_process_hears_every_message_in_order(pair):
    first, second = pair
    heard = Heard(first)

    for number in range(500):
        second.notify("topic", f"{number} {'x' * 100}")

    assert [await heard.next() for _ in range(500)] == [f"{number} {'x' * 100}" for number in range(500)]


async def test_nobody_hears_its_own_words_twice(pair):
    first, second = pair
    own, others = Heard(first), Heard(second)

    first.notify("topic", "a")
    second.notify("topic", "b")

    assert [await own.next(), await own.next()] == ["a", "b"]
    assert own.messages.empty()
    assert {await others.next(), await others.next()} == {"a", "b"}


async def test_a_message_that_is_too_long_still_wakes(pair):
    first, second = pair
    flag = first.wakeup("topic")

    second.notify("topic", "x" * 8_000)

    assert await flag.wait(sweep=timedelta(seconds=10))


async def test_a_lost_connection_comes_back_and_wakes_everybody(pair, pool):
    first, second = pair
    flag, heard = first.wakeup("topic"), Heard(first)
    (row,) = await pool.fetch(PRESENT, PRESENCE, "first")

    await pool.execute("SELECT pg_terminate_backend($1)", row["pid"])

    assert await flag.wait(sweep=timedelta(seconds=3))
    second.notify("topic", "after")
    assert await heard.next() == "after"
    (again,) = await pool.fetch(PRESENT, PRESENCE, "first")
    assert again["pid"] != row["pid"]
