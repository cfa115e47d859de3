"""Working off the turns: many sessions side by side, one turn at a time in each, under leases that outlive nobody."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

import asyncpg
import structlog

from self_service_agent.kit import metrics, tracing
from self_service_agent.kit.database import DATABASE_TROUBLE, Pool
from self_service_agent.kit.group_writer import GroupWriter
from self_service_agent.kit.ids import new_id
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models import events

from . import repository
from .aftermath import Consequences
from .listening import Listeners
from .repository import ClaimedTurn, FinishedTurn, LeaseLost
from .rules import TurnPolicy

TOPIC = "turns"
PROMOTE_TOPIC = "turns/promote"
_SWEEP = timedelta(seconds=10)
_PAUSE = 1.0
_GROUP_LIMIT = 64
_CLOCK_SLACK = 0.02  # the database's clock decides when a turn is due

log = structlog.get_logger(__name__)


class TurnTaker(Protocol):
    """Answers one request. It may be asked again for the same one, and must then do nothing twice."""

    async def take(self, turn: ClaimedTurn) -> FinishedTurn:
        """Return what the turn leaves behind; an exception means that it is to be tried again."""
        ...

    def apologise(self, turn: ClaimedTurn) -> FinishedTurn:
        """Return the last word on a turn that failed too often."""
        ...


class TurnWorkers:
    """Claims turns and has them taken while `running` is open.

    The pool may be a relaxed one: a turn that a crash of the database undoes is taken again, its tools are kept from
    acting twice by the ledger, and nobody hears the answer before the request manager has committed it durably.
    """

    def __init__(  # noqa: PLR0913  # everything that a turn touches
        self,
        pool: Pool,
        notifier: Notifier,
        taker: TurnTaker,
        *,
        policy: TurnPolicy,
        announce: "Announce",
        consequences: Consequences,
        listeners: Listeners | None = None,
    ) -> None:
        self._pool = pool
        self._listeners = listeners or Listeners()
        self._consequences = consequences
        self._taker = taker
        self._policy = policy
        self._announce = announce
        self._wakeup = notifier.wakeup(TOPIC)
        self._behind: set[str] = set()
        self._announced: set[str] = set()
        notifier.listen(PROMOTE_TOPIC, self._hear_of)
        self._running: dict[asyncio.Task[None], ClaimedTurn] = {}
        self._reserved = 0
        self._tasks: asyncio.TaskGroup | None = None
        self._stopping = False
        self._finisher: GroupWriter[FinishedTurn, bool] = GroupWriter(
            self._finish, rejections=(asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take turns for as long as this is open; closing finishes those at hand, within the policy's patience."""
        async with asyncio.TaskGroup() as self._tasks:
            tasks = self._tasks
            claiming = tasks.create_task(self._claim_for_ever())
            renewing = tasks.create_task(self._renew_for_ever())
            try:
                yield
            finally:
                self._stopping = True
                self._wakeup.set()
                await asyncio.wait([claiming])
                await self._drain()
                renewing.cancel()
                await self._finisher.close()

    @property
    def lease(self) -> timedelta:
        """How long a turn is ours without being renewed."""
        return self._policy.lease

    def reserve(self, count: int) -> str | None:
        """Return the lease token for `count` turns to `start` soon, or None if there is no room for all of them.

        One caller at a time: a reservation that was not started is forgotten with the next.
        """
        self._reserved = 0
        if self._stopping or self._tasks is None or len(self._running) + count > self._policy.concurrency:
            return None
        self._reserved = count
        return new_id()

    def start(self, turns: Sequence[ClaimedTurn]) -> None:
        """Take turns that were claimed elsewhere in this process, under a reservation."""
        self._reserved = 0
        self._begin(turns)

    def _begin(self, turns: Sequence[ClaimedTurn]) -> None:
        if self._tasks is None:
            raise RuntimeError("turns are taken while `running` is open")
        for turn in turns:
            task = self._tasks.create_task(self._see_through_in_its_story(turn))
            self._running[task] = turn
            task.add_done_callback(self._forget)

    async def _drain(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=self._policy.drain.total_seconds())
        for task in tuple(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def _claim_for_ever(self) -> None:
        clock = asyncio.get_running_loop().time
        looked_at = -_SWEEP.total_seconds()
        while not self._stopping:
            if clock() >= looked_at + _SWEEP.total_seconds():  # by time: under steady traffic no wait is ever in vain
                looked_at = clock()
                await self._look_around()
            free = min(self._policy.concurrency - len(self._running) - self._reserved, _GROUP_LIMIT)
            try:
                claimed = await self._claim(free) if free > 0 else []
            except DATABASE_TROUBLE as error:
                log.warning("turns.database_unavailable", error=str(error))
                await asyncio.sleep(_PAUSE)
                continue
            self._begin(claimed)
            if free <= 0 or len(claimed) < free:
                await self._wakeup.wait(sweep=_SWEEP)

    def _hear_of(self, session_id: str) -> None:
        """Promote in a session in which a turn was queued, now and once more when the turn at hand here is finished.

        The statement that finishes it may have begun before the other turn was there, and end after the promotion.
        """
        if not session_id:
            return
        if any(turn.request.session_id == session_id for turn in self._running.values()):
            self._announced.add(session_id)
        self._behind.add(session_id)
        self._wakeup.set()

    async def _look_around(self) -> None:
        """Find what a process that died has left behind: turns to promote, and leases that are about to run out."""
        with contextlib.suppress(*DATABASE_TROUBLE):
            self._behind.update(await repository.strays(self._pool))
            wait = await repository.next_lease_end(self._pool)
            if wait is not None:
                asyncio.get_running_loop().call_later(wait.total_seconds() + _CLOCK_SLACK, self._wakeup.set)

    async def _promote(self) -> None:
        behind, self._behind = self._behind, set()
        try:
            await repository.promote(self._pool, list(behind))
        except DATABASE_TROUBLE:
            self._behind |= behind
            raise

    async def _claim(self, limit: int) -> list[ClaimedTurn]:
        if self._behind:
            await self._promote()
        return await repository.claim(self._pool, limit=limit, lease_token=new_id(), lease=self._policy.lease)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        was_full = len(self._running) >= self._policy.concurrency
        turn = self._running.pop(task, None)
        if turn is not None and turn.request.session_id in self._announced:  # it ended without being finished
            self._announced.discard(turn.request.session_id)
            self._behind.add(turn.request.session_id)
            self._wakeup.set()
        if was_full:
            self._wakeup.set()

    async def _see_through_in_its_story(self, turn: ClaimedTurn) -> None:
        request = turn.request
        told = request.integration_context.get(tracing.HEADER)
        with tracing.Span("turn", told, request_id=request.request_id, session_id=request.session_id):
            await self._see_through(turn)

    async def _see_through(self, turn: ClaimedTurn) -> None:
        try:
            await self._finisher.submit(await self._take(turn))
        except LeaseLost:
            metrics.TURNS["lease_lost"].inc()
            log.warning("turns.lease_lost", request_id=turn.request.request_id)
        except asyncio.CancelledError:
            await self._put_back(turn, wait=timedelta(0), error=None)
            raise
        except Exception as error:  # whatever went wrong, the turn is tried again or apologised for
            metrics.TURNS["tried_again"].inc()
            log.warning(
                "turns.attempt_failed", request_id=turn.request.request_id, attempt=turn.attempt, exc_info=error
            )
            wait = self._policy.wait(turn.attempt, random=random.random())  # noqa: S311  # jitter, not a secret
            await self._put_back(turn, wait=wait, error=f"{type(error).__name__}: {error}"[:2000])
            asyncio.get_running_loop().call_later(wait.total_seconds() + _CLOCK_SLACK, self._wakeup.set)

    async def _take(self, turn: ClaimedTurn) -> FinishedTurn:
        if self._policy.is_spent(turn.attempt, taken_over=turn.taken_over):
            log.error("turns.given_up", request_id=turn.request.request_id, attempts=turn.attempt - 1)
            return self._taker.apologise(turn)
        async with asyncio.timeout(self._policy.patience.total_seconds()):
            return await self._taker.take(turn)

    async def _put_back(self, turn: ClaimedTurn, *, wait: timedelta, error: str | None) -> None:
        try:
            await repository.put_back(self._pool, turn, wait=wait, error=error)
        except DATABASE_TROUBLE as trouble:  # the lease runs out by itself
            log.warning("turns.not_put_back", request_id=turn.request.request_id, error=str(trouble))

    async def _finish(self, turns: Sequence[FinishedTurn]) -> Sequence[bool | Exception]:
        with metrics.Publishing({events.RESPONSE_READY: len(turns)}) as publishing:
            outcomes = await repository.finish(self._pool, turns, consequences=self._consequences)
            publishing.counts[events.RESPONSE_READY] = sum(isinstance(outcome, bool) for outcome in outcomes)
        self._announce()
        if any(turn.aftermath for turn in turns):
            self._consequences.tell()
        # Here and not where each turn is seen through: that may be cancelled, as a lease that nobody needs any more
        # cannot be renewed.
        for turn, outcome in zip(turns, outcomes, strict=True):
            if isinstance(outcome, bool):
                metrics.TURNS["failed" if turn.failed else "completed"].inc()
                self._listeners.tell(turn.request_id, turn.response)
            if outcome is True or turn.session_id in self._announced:
                self._announced.discard(turn.session_id)
                self._behind.add(turn.session_id)
                self._wakeup.set()
        return outcomes

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._policy.lease.total_seconds() / 3)
            if not self._running:
                continue
            running = dict(self._running)
            try:
                ours = await repository.renew(self._pool, list(running.values()), lease=self._policy.lease)
            except DATABASE_TROUBLE as error:
                log.warning("turns.leases_not_renewed", error=str(error))
                continue
            for task, turn in running.items():
                if turn.request.request_id not in ours and not task.done():
                    task.cancel()


class Announce(Protocol):
    """Says that answers were published."""

    def __call__(self) -> None: ...
