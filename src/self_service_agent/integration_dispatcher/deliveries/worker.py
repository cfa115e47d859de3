"""Works off deliveries that are due: claims them, has them sent, records what came of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import structlog

from self_service_agent.integration_dispatcher.settings import DeliverySettings
from self_service_agent.kit import clock, metrics, tracing
from self_service_agent.kit.database import DATABASE_TROUBLE, Pool, finish
from self_service_agent.kit.group_writer import GroupWriter, Overloaded
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.integrations import IntegrationType

from .planning import Planning
from .queue import TOPIC, ClaimedDelivery, DeliveryQueue, Report
from .rules import Verdict
from .sending import Sender

_PAUSE_AFTER_ERROR = timedelta(seconds=1)
_SHORTEST_NAP = timedelta(milliseconds=20)  # a due row that somebody else has locked must not be asked for in a loop

log = structlog.get_logger(__name__)


class DeliveryWorkers:
    """Send what is due for as long as `running` is open; any number of processes may do so.

    Of each channel at most twice its concurrency is claimed, so that the next is at hand when a send ends and a
    waiting one still has most of its lease.
    """

    def __init__(self, pool: Pool, notifier: Notifier, planning: Planning, *, settings: DeliverySettings) -> None:
        self._settings = settings
        self._queue = DeliveryQueue(pool, lease=settings.lease)
        self._sender = Sender(planning, timeout=settings.timeout)
        self._writer = GroupWriter(self._write, rejections=(asyncpg.DataError,))
        self._wakeup = notifier.wakeup(TOPIC)
        self._permits = {kind: asyncio.Semaphore(settings.delivery_concurrency) for kind in IntegrationType}
        self._in_hand: Counter[IntegrationType] = Counter()
        self._waiting: dict[asyncio.Task[None], ClaimedDelivery] = {}
        self._carrying: set[asyncio.Task[None]] = set()
        self._stopping = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work for as long as this is open; closing lets running sends end and gives back what has not begun."""
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self._work(tasks))
            try:
                yield
            finally:
                await self._drain(work)

    async def _work(self, tasks: asyncio.TaskGroup) -> None:
        while not self._stopping:
            try:
                nap = await self._start_due(tasks)
            except DATABASE_TROUBLE as error:
                log.warning("deliveries.claim_failed", error=str(error))
                nap = _PAUSE_AFTER_ERROR
            await self._wakeup.wait(sweep=nap)

    async def _start_due(self, tasks: asyncio.TaskGroup) -> timedelta:
        """Start what is due and return how long to sleep. A channel that is full wakes us when half is done."""
        slots = self._slots()
        if slots:
            now = asyncio.get_running_loop().time()
            for delivery in await finish(self._queue.claim(slots)):
                self._start(tasks, delivery, claimed_at=now)
        kinds = list(self._slots())
        due = await finish(self._queue.next_due(kinds)) if kinds and not self._stopping else None
        return self._settings.sweep if due is None else min(max(due, _SHORTEST_NAP), self._settings.sweep)

    def _slots(self) -> dict[IntegrationType, int]:
        half = self._settings.delivery_concurrency
        return {kind: 2 * half - self._in_hand[kind] for kind in IntegrationType if self._in_hand[kind] <= half}

    def _start(self, tasks: asyncio.TaskGroup, delivery: ClaimedDelivery, *, claimed_at: float) -> None:
        lease_end = claimed_at + self._settings.lease.total_seconds()
        task = tasks.create_task(self._carry_in_its_story(delivery, lease_end=lease_end))
        self._in_hand[delivery.integration_type] += 1
        self._waiting[task] = delivery
        self._carrying.add(task)
        task.add_done_callback(lambda done: self._finished(done, delivery.integration_type))

    def _finished(self, task: asyncio.Task[None], kind: IntegrationType) -> None:
        self._carrying.discard(task)
        self._waiting.pop(task, None)
        self._in_hand[kind] -= 1
        if self._in_hand[kind] <= self._settings.delivery_concurrency:
            self._wakeup.set()

    async def _carry_in_its_story(self, delivery: ClaimedDelivery, *, lease_end: float) -> None:
        told = delivery.origin.get(tracing.HEADER)
        with tracing.Span("delivery", told, request_id=delivery.request_id, session_id=delivery.session_id) as span:
            span.describe(channel=delivery.integration_type)
            await self._carry(delivery, lease_end=lease_end)

    async def _carry(self, delivery: ClaimedDelivery, *, lease_end: float) -> None:
        async with self._permits[delivery.integration_type]:
            task = asyncio.current_task()
            if task is not None:
                self._waiting.pop(task, None)
            started_at = clock.now()
            verdict = await self._send_in_time(delivery, lease_end=lease_end)
        report = Report(
            delivery_id=delivery.delivery_id, lease_token=delivery.lease_token, verdict=verdict, started_at=started_at
        )
        await self._record(report, lease_end=lease_end)

    async def _send_in_time(self, delivery: ClaimedDelivery, *, lease_end: float) -> Verdict:
        if asyncio.get_running_loop().time() + self._settings.timeout.total_seconds() > lease_end:
            return _given_back(delivery)
        verdict = await self._sender.send(delivery)
        metrics.DELIVERIES[delivery.integration_type, verdict.status].inc()
        return verdict

    async def _record(self, report: Report, *, lease_end: float) -> None:
        """Store what came of a delivery, again and again while the database is away and the delivery is ours."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                kept = await self._writer.submit(report)
            except (*DATABASE_TROUBLE, Overloaded) as error:
                log.warning("delivery.record_failed", delivery_id=report.delivery_id, error=str(error))
                if loop.time() > lease_end:
                    return
                await asyncio.sleep(_PAUSE_AFTER_ERROR.total_seconds())
                continue
            if not kept:
                log.warning("delivery.lease_lost", delivery_id=report.delivery_id, status=report.verdict.status)
            return

    async def _write(self, reports: Sequence[Report]) -> Sequence[bool]:
        return await self._queue.record(reports)

    async def _drain(self, work: asyncio.Task[None]) -> None:
        self._stopping = True
        self._wakeup.set()
        budget = self._settings.drain.total_seconds()
        await asyncio.wait([work], timeout=budget)
        work.cancel()
        unbegun, self._waiting = self._waiting, {}
        for task in unbegun:
            task.cancel()
        await self._give_back(tuple(unbegun.values()))
        if self._carrying:
            await asyncio.wait(self._carrying, timeout=budget)
        for task in self._carrying:
            task.cancel()  # its lease runs out, and somebody else follows
        await self._writer.close()

    async def _give_back(self, deliveries: Sequence[ClaimedDelivery]) -> None:
        reports = [
            Report(
                delivery_id=each.delivery_id, lease_token=each.lease_token, verdict=_given_back(each), started_at=None
            )
            for each in deliveries
        ]
        if reports:
            try:
                await finish(self._queue.record(reports))
            except DATABASE_TROUBLE as error:
                log.warning("deliveries.give_back_failed", count=len(reports), error=str(error))


def _given_back(delivery: ClaimedDelivery) -> Verdict:
    return Verdict(status=delivery.status, retry_at=clock.now())
