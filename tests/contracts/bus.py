"""What every bus promises, whatever carries its events."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pydantic import BaseModel

from self_service_agent.eventing.bus import Binding, Bus, Event, RetryPolicy
from self_service_agent.eventing.envelope import CloudEvent

TYPE = "com.example.happened"
OTHER_TYPE = "com.example.nobody-cares"
SUBSCRIPTIONS = {TYPE: ("first", "second")}
QUICKLY = RetryPolicy(attempts=3, base=timedelta(milliseconds=20), cap=timedelta(milliseconds=40))


class Happened(BaseModel):
    number: int


def an_event(number: int = 1, *, key: str = "session-1", event_id: str | None = None, **changes: Any) -> CloudEvent:
    attributes: dict[str, Any] = {
        "id": event_id or f"{key}/{number}",
        "source": "here",
        "type": TYPE,
        "time": datetime(2026, 1, 1, tzinfo=UTC),
        "datacontenttype": "application/json",
        "extensions": {"partitionkey": key, "sequence": str(number)},
        "data": b'{"number": %d}' % number,
    }
    return CloudEvent(**(attributes | changes))


class Listener:
    """Remembers what it handles; fails as often as it is told for a session."""

    def __init__(self) -> None:
        self.heard: dict[str, list[int]] = defaultdict(list)
        self.failures: dict[str, int] = {}
        self.committed = 0
        self._changed = asyncio.Event()

    async def __call__(self, events: Sequence[Event[Happened]], connection: Any) -> Any:
        for event in events:
            if self.failures.get(event.partition_key, 0) > 0:
                self.failures[event.partition_key] -= 1
                raise RuntimeError("not now")
        for event in events:
            self.heard[event.partition_key].append(event.data.number)

        def committed() -> None:
            self.committed += len(events)
            self._changed.set()

        return committed

    @property
    def count(self) -> int:
        return sum(map(len, self.heard.values()))

    async def has_committed(self, count: int, *, within: float = 20) -> None:
        async with asyncio.timeout(within):
            while self.committed < count:
                self._changed.clear()
                await self._changed.wait()


class RunnableBus(Bus, Protocol):
    def running(self) -> AbstractAsyncContextManager[None]: ...


class BusContract:
    """Subclasses provide the fixture `bus`, built from SUBSCRIPTIONS and QUICKLY, and `publish`."""

    async def publish(self, bus: RunnableBus, *events: CloudEvent) -> None:
        raise NotImplementedError

    def listen(self, bus: RunnableBus) -> tuple[Listener, Listener]:
        first, second = Listener(), Listener()
        bus.consume("first", {TYPE: Binding(data=Happened, handle=first)})
        bus.consume("second", {TYPE: Binding(data=Happened, handle=second)})
        return first, second

    async def test_each_consumer_handles_an_event_once(self, bus):
        first, second = self.listen(bus)

        async with bus.running():
            await self.publish(bus, an_event(7))
            await first.has_committed(1)
            await second.has_committed(1)

        assert (first.heard, second.heard) == ({"session-1": [7]}, {"session-1": [7]})

    async def test_events_from_before_the_start_are_handled(self, bus):
        first, _ = self.listen(bus)
        await self.publish(bus, an_event(7))

        async with bus.running():
            await first.has_committed(1)

        assert first.heard == {"session-1": [7]}

    async def test_a_repeated_id_is_a_duplicate_and_another_source_is_not(self, bus):
        first, _ = self.listen(bus)

        async with bus.running():
            await self.publish(bus, an_event(1, event_id="a"), an_event(1, event_id="a"))
            await first.has_committed(1)
            await self.publish(bus, an_event(1, event_id="a"))
            await self.publish(bus, an_event(2, event_id="a", source="there"))
            await first.has_committed(2)

        assert first.heard == {"session-1": [1, 2]}

    async def test_what_nobody_consumes_is_not_kept(self, bus):
        first, _ = self.listen(bus)

        async with bus.running():
            await self.publish(bus, an_event(1, type=OTHER_TYPE), an_event(2))
            await first.has_committed(1)

        assert first.heard == {"session-1": [2]}

    async def test_sessions_keep_their_order_and_a_failing_one_holds_up_nobody_else(self, bus):
        first, _ = self.listen(bus)
        first.failures["session-3"] = 2
        numbers = {f"session-{session}": iter(range(1, 21)) for session in range(50)}
        keys = [key for key in numbers for _ in range(20)]
        random.Random(1).shuffle(keys)  # noqa: S311  # an order to repeat
        events = [an_event(next(numbers[key]), key=key) for key in keys]

        async with bus.running():
            for start in range(0, len(events), 40):
                await self.publish(bus, *events[start : start + 40], *events[start : start + 5])
            await first.has_committed(len(events))

        assert first.heard == {key: list(range(1, 21)) for key in numbers}

    async def test_an_event_that_keeps_failing_is_given_up_and_can_be_replayed(self, bus):
        first, _ = self.listen(bus)
        first.failures["session-1"] = 1000

        async with bus.running():
            await self.publish(bus, an_event(1))
            letter = await self._letter(bus)
            first.failures.clear()
            await self.publish(bus, an_event(2))
            await first.has_committed(1)
            await bus.replay(letter.id)
            await first.has_committed(2)

        assert (letter.event.id, letter.attempts, letter.error) == ("session-1/1", 3, "RuntimeError: not now")
        assert first.heard == {"session-1": [2, 1]}
        assert await bus.dead_letters("first") == ()

    async def test_an_event_that_does_not_fit_is_given_up_at_once(self, bus):
        first, _ = self.listen(bus)

        async with bus.running():
            await self.publish(bus, an_event(1, data=b'{"number": "many"}'), an_event(2))
            letter = await self._letter(bus)
            await first.has_committed(1)

        assert (letter.event.id, letter.attempts) == ("session-1/1", 1)
        assert first.heard == {"session-1": [2]}

    async def _letter(self, bus: RunnableBus) -> Any:
        async with asyncio.timeout(20):
            while not (letters := await bus.dead_letters("first")):  # nobody announces one
                await asyncio.sleep(0.01)
        return letters[0]
