"""A bus in memory, for tests of what stands on one: the same promises, except that nothing outlives the process."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from self_service_agent.kit.database import PooledConnection

from .bus import Binding, DeadLetter, Event, RetryPolicy, UnacceptableEvent, partition_key_of
from .envelope import CloudEvent


@dataclass
class _Entry:
    number: int
    consumer: str
    event: CloudEvent
    attempts: int = 0


class MemoryBus:
    """See `Bus`. Handlers get the connection that was given here, which may be any stand-in."""

    def __init__(
        self,
        subscriptions: Mapping[str, Sequence[str]],
        *,
        connection: PooledConnection,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._subscriptions = subscriptions
        self._connection = connection
        self._retry = retry or RetryPolicy()
        self._numbers = itertools.count(1)
        self._known: set[tuple[str, str, str]] = set()
        self._bindings: dict[str, Mapping[str, Binding]] = {}
        self._queues: dict[tuple[str, str], list[_Entry]] = {}
        self._dead: dict[int, tuple[_Entry, str]] = {}
        self._sessions: set[asyncio.Task[None]] = set()
        self._tasks: asyncio.TaskGroup | None = None

    async def publish(self, events: Sequence[CloudEvent], connection: PooledConnection) -> None:
        del connection
        for event in events:
            for consumer in self._subscriptions.get(event.type, ()):
                if (consumer, event.source, event.id) not in self._known:
                    self._known.add((consumer, event.source, event.id))
                    self._enqueue(_Entry(next(self._numbers), consumer, event))

    def published(self, *types: str) -> None:
        """Do nothing: what is published is handled at once."""

    def consume(self, consumer: str, bindings: Mapping[str, Binding], *, durable: bool = True) -> None:
        del durable
        self._bindings[consumer] = bindings

    async def dead_letters(self, consumer: str, *, limit: int = 50) -> tuple[DeadLetter, ...]:
        return tuple(
            DeadLetter(id=number, event=entry.event, consumer=consumer, attempts=entry.attempts, error=error)
            for number, (entry, error) in sorted(self._dead.items())
            if entry.consumer == consumer
        )[:limit]

    async def replay(self, dead_letter_id: int) -> None:
        entry, _ = self._dead.pop(dead_letter_id)
        entry.attempts = 0
        self._enqueue(entry)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Handle events for as long as this is open."""
        async with asyncio.TaskGroup() as self._tasks:
            for key in self._queues:
                self._start(key)
            yield
            for session in self._sessions:
                session.cancel()

    def _enqueue(self, entry: _Entry) -> None:
        key = (entry.consumer, partition_key_of(entry.event))
        waiting = self._queues.setdefault(key, [])
        waiting.append(entry)
        if len(waiting) == 1 and self._tasks is not None:
            self._start(key)

    def _start(self, key: tuple[str, str]) -> None:
        if self._tasks is not None and self._queues[key]:
            task = self._tasks.create_task(self._work_off(self._queues[key]))
            self._sessions.add(task)
            task.add_done_callback(self._sessions.discard)

    async def _work_off(self, waiting: list[_Entry]) -> None:
        while waiting:
            entry = waiting[0]
            try:
                await self._handle(entry)
            except Exception as error:  # noqa: BLE001  # whatever a handler raises is counted against its event
                entry.attempts += 1
                wait = None
                if not isinstance(error, UnacceptableEvent):
                    wait = self._retry.wait(entry.attempts, random=random.random())  # noqa: S311  # jitter
                if wait is not None:
                    await asyncio.sleep(wait.total_seconds())
                    continue
                self._dead[entry.number] = (entry, f"{type(error).__name__}: {error}")
            waiting.pop(0)

    async def _handle(self, entry: _Entry) -> None:
        binding = self._bindings.get(entry.consumer, {}).get(entry.event.type)
        if binding is None:
            return
        after_commit = await binding.handle([_parse(entry.event, binding)], self._connection)
        if after_commit is not None:
            after_commit()


def _parse(event: CloudEvent, binding: Binding) -> Event[Any]:
    try:
        data = binding.data.model_validate_json(event.data or b"null")
    except ValidationError as error:
        raise UnacceptableEvent(f"data does not fit {event.type}: {error.error_count()} errors") from error
    sequence = event.extensions.get("sequence")
    return Event(
        id=event.id,
        partition_key=partition_key_of(event),
        sequence=None if sequence is None else int(sequence),
        data=data,
        text=(event.data or b"null").decode(),
    )
