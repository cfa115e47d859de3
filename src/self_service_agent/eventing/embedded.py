"""The embedded bus: PostgreSQL alone, for one process or many. The stored event is its consumer's queue entry.

Events of a session share a lane, one of 64; whoever handles a lane holds its lock until the commit, so order within a
session is kept while lanes go on side by side. A session whose event fails is parked until its next attempt, alone.
"""

import asyncio
import itertools
import math
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import structlog
from pydantic import ValidationError

from self_service_agent.kit import clock, metrics, tracing
from self_service_agent.kit.database import DATABASE_TROUBLE, Pool, PooledConnection, Pools
from self_service_agent.kit.notifications import Notifier, Wakeup
from self_service_agent.shared_models.integrations import IntegrationType

from . import store
from .bus import AfterCommit, Binding, DeadLetter, Event, RetryPolicy, UnacceptableEvent, partition_key_of
from .envelope import CloudEvent

_SWEEP = timedelta(seconds=10)
_PAUSE_AFTER_SURPRISE = 1.0
_CLOCK_SLACK = 0.02  # the database's clock decides when a parked session may go on
_MEMORY = timedelta(days=15)  # brokers are known to send two weeks of events again
_FORGET_EVERY = timedelta(hours=1)
_FRESH_SECONDS = 5.0

log = structlog.get_logger(__name__)


class EmbeddedBus:
    """See `Bus`. Consumers registered with `consume` work while `running` is open."""

    def __init__(
        self,
        pools: Pools,
        notifier: Notifier,
        subscriptions: Mapping[str, Sequence[str]],
        *,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._pools = pools
        self._notifier = notifier
        self._subscriptions = dict(subscriptions)
        self._topics = {kind: [_topic(consumer) for consumer in names] for kind, names in subscriptions.items()}
        self._retry = retry or RetryPolicy()
        self._consumers: list[_Consumer] = []

    async def publish(self, events: Sequence[CloudEvent], connection: PooledConnection) -> None:
        addressed = [
            (consumer, event, partition_key_of(event))
            for event in events
            for consumer in self._subscriptions.get(event.type, ())
        ]
        if addressed:
            with metrics.Publishing(Counter(event.type for _, event, _ in addressed)):
                await store.insert(connection, addressed)

    def published(self, *types: str) -> None:
        for kind in types:
            for topic in self._topics.get(kind, ()):
                self._notifier.notify(topic)

    def consume(self, consumer: str, bindings: Mapping[str, Binding], *, durable: bool = True) -> None:
        wakeup = self._notifier.wakeup(_topic(consumer))
        pool = self._pools.durable if durable else self._pools.relaxed
        self._consumers.append(_Consumer(consumer, bindings, pool, wakeup=wakeup, retry=self._retry))

    async def dead_letters(self, consumer: str, *, limit: int = 50) -> tuple[DeadLetter, ...]:
        return await store.dead_letters(self._pools.durable, consumer, limit)

    async def replay(self, dead_letter_id: int) -> None:
        consumer = await store.revive(self._pools.durable, dead_letter_id)
        if consumer is not None:
            self._notifier.notify(_topic(consumer))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Handle events for as long as this is open; closing finishes the transaction at hand, then stops."""
        gauges = _QueueGauges(self._pools.relaxed, {name for names in self._subscriptions.values() for name in names})
        async with asyncio.TaskGroup() as tasks:
            loops = [tasks.create_task(consumer.run()) for consumer in self._consumers]
            housekeeping = tasks.create_task(self._forget_now_and_then())
            try:
                with metrics.read_by(gauges.read):
                    yield
            finally:
                housekeeping.cancel()
                for consumer in self._consumers:
                    consumer.stop()
                if loops:
                    await asyncio.wait(loops)

    async def _forget_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_FORGET_EVERY.total_seconds())
            await store.forget(self._pools.relaxed, handled_before=clock.now() - _MEMORY)


class _Consumer:
    def __init__(
        self, name: str, bindings: Mapping[str, Binding], pool: Pool, *, wakeup: Wakeup, retry: RetryPolicy
    ) -> None:
        self._name = name
        self._bindings = bindings
        self._pool = pool
        self._wakeup = wakeup
        self._retry = retry
        self._handled = metrics.EVENTS_HANDLED[name]
        self._stopping = False

    def stop(self) -> None:
        self._stopping = True
        self._wakeup.set()

    async def run(self) -> None:
        while not self._stopping:
            try:
                handled = await self._handle_waiting()
            except DATABASE_TROUBLE as error:
                log.warning("events.database_unavailable", consumer=self._name, error=str(error))
                await asyncio.sleep(_PAUSE_AFTER_SURPRISE)
                continue
            if handled < store.BATCH:  # what came in the meantime has set the flag again
                await self._wakeup.wait(sweep=_SWEEP)

    async def _handle_waiting(self) -> int:
        """Handle one batch in one transaction and return its size; if that fails, handle its events one by one."""
        after_commit: list[AfterCommit] = []
        records: list[asyncpg.Record] = []
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                records = await store.take(connection, self._name)
                if records:
                    await self._handle(records, connection, after_commit.append)
        except Exception as error:  # whatever a handler raises is counted against its event, one by one
            if not records:
                raise
            log.info("events.batch_failed", consumer=self._name, size=len(records), error=repr(error))
            await self._handle_singly(records)
            return len(records)
        self._handled.inc(len(records))
        for call in after_commit:
            call()
        return len(records)

    async def _handle(
        self, records: Sequence[asyncpg.Record], connection: PooledConnection, then: Callable[[AfterCommit], None]
    ) -> None:
        new = [record for record in records if record["is_new"]]
        for kind, group in itertools.groupby(new, key=lambda record: str(record["type"])):
            binding = self._bindings.get(kind)
            if binding is None:
                continue  # subscribed by an older release, of no interest to this one
            after = await binding.handle([_parse(record, binding) for record in group], connection)
            if after is not None:
                then(after)

    async def _handle_singly(self, records: Sequence[asyncpg.Record]) -> None:
        parked: set[str] = set()
        for record in records:
            if record["partition_key"] in parked:
                continue
            told = store.extensions_of(record)
            with tracing.Span(
                "event", told.get(tracing.HEADER), request_id=told.get("requestid"), session_id=told.get("sessionid")
            ):
                try:
                    await self._handle_one(record["id"])
                except Exception as error:  # noqa: BLE001  # the event's own failure, recorded with it
                    parked.add(record["partition_key"])
                    await self._record_failure(record, error)

    async def _handle_one(self, row_id: int) -> None:
        after_commit: list[AfterCommit] = []
        async with self._pool.acquire() as connection, connection.transaction():
            records = await store.take_one(connection, self._name, row_id)
            await self._handle(records, connection, after_commit.append)
        self._handled.inc(len(records))
        for call in after_commit:
            call()

    async def _record_failure(self, record: asyncpg.Record, error: Exception) -> None:
        metrics.EVENTS_FAILED[self._name].inc()
        async with self._pool.acquire() as connection, connection.transaction():
            attempts = await store.count_failure(connection, record["id"], f"{type(error).__name__}: {error}"[:2000])
            wait = None
            if not isinstance(error, UnacceptableEvent):
                wait = self._retry.wait(attempts, random=random.random())  # noqa: S311  # jitter, not a secret
            if wait is None:
                await store.bury(connection, record["id"])
            else:
                await store.park(connection, self._name, record["partition_key"], until=clock.now() + wait)
        if wait is None:
            metrics.EVENTS_DEAD_LETTERED[self._name].inc()
            log.error("events.dead_lettered", consumer=self._name, event_id=record["event_id"], exc_info=error)
        else:
            asyncio.get_running_loop().call_later(wait.total_seconds() + _CLOCK_SLACK, self._wakeup.set)


class _QueueGauges:
    """Says how far the queues of the database are behind, looked up every few seconds at most."""

    def __init__(self, pool: Pool, consumers: Iterable[str]) -> None:
        self._pool = pool
        self._consumers = sorted(consumers)
        self._reading = asyncio.Lock()
        self._fresh_until = 0.0

    async def read(self) -> None:
        async with self._reading:
            now = asyncio.get_running_loop().time
            if now() < self._fresh_until:
                return
            try:
                ages = await store.oldest_ages(self._pool, self._consumers, list(IntegrationType))
            except DATABASE_TROUBLE:
                metrics.DATABASE_UP.set(0)
                for gauge in metrics.QUEUE_AGE.values():
                    gauge.set(math.nan)
            else:
                metrics.DATABASE_UP.set(1)
                for queue, seconds in ages.items():
                    metrics.QUEUE_AGE[queue].set(seconds)
            self._fresh_until = now() + _FRESH_SECONDS


def _parse(record: asyncpg.Record, binding: Binding) -> Event[Any]:
    try:
        data = binding.data.model_validate_json(record["data"])
    except ValidationError as error:
        raise UnacceptableEvent(f"data does not fit {record['type']}: {error.error_count()} errors") from error
    return Event(
        id=record["event_id"],
        partition_key=record["partition_key"],
        sequence=store.sequence_of(record),
        data=data,
        text=record["data"],
    )


def _topic(consumer: str) -> str:
    return f"events/{consumer}"
