"""Callers that wait for an answer: futures in their own process, woken from wherever the answer is recorded."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from weakref import WeakSet

import structlog

from self_service_agent.kit.database import DATABASE_TROUBLE, Pool
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.requests import AgentResponse
from self_service_agent.shared_models.users import CHANGED_TOPIC

from . import repository

_SWEEP = timedelta(seconds=5)
_ORPHANS_EVERY = 6  # sweeps

log = structlog.get_logger(__name__)


class RequestErased(Exception):
    """The request was erased while its caller waited for the answer."""


class Waiters:
    """The callers of this process that wait, by request.

    Whenever a person has changed, who waits for a stored request that is not there any more hears `RequestErased`.
    """

    def __init__(self, pool: Pool, notifier: Notifier) -> None:
        self._pool = pool
        self._notifier = notifier
        self._futures: dict[str, set[asyncio.Future[AgentResponse]]] = {}
        self._stored: set[str] = set()
        self._leaving: WeakSet[asyncio.Future[AgentResponse]] = WeakSet()
        self._ready = notifier.wakeup(_topic(notifier.replica))
        self._in_doubt: set[str] = set()
        notifier.listen(CHANGED_TOPIC, lambda _user_id: self._doubt())

    @property
    def replica(self) -> str:
        """The name under which requests record that somebody waits here."""
        return self._notifier.replica

    @contextmanager
    def waiting(self, request_id: str) -> Iterator["asyncio.Future[AgentResponse]"]:
        """Yield the future of an answer; enter before the request is committed, so that no answer comes too early."""
        future: asyncio.Future[AgentResponse] = asyncio.get_running_loop().create_future()
        waiting = self._futures.setdefault(request_id, set())
        waiting.add(future)
        try:
            yield future
        finally:
            waiting.discard(future)
            if not waiting:
                self._futures.pop(request_id, None)
                self._stored.discard(request_id)
                self._in_doubt.discard(request_id)

    def stored(self, request_id: str) -> None:
        """Note that a request that is waited for was stored: from now on it can be missed."""
        self._stored.add(request_id)
        if request_id in self._in_doubt:
            self._ready.set()

    def answer(self, response: AgentResponse, *, waited_for_by: str) -> None:
        """Wake the caller that waits for this answer, here or in another process."""
        if waited_for_by == self.replica:
            self._resolve(response)
        else:
            self.wake(waited_for_by)

    def leave(self, request_id: str, future: "asyncio.Future[AgentResponse]") -> bool:
        """Count a caller as leaving, and tell whether nobody else in this process waits for the same answer."""
        self._leaving.add(future)
        return all(waiting in self._leaving for waiting in self._futures.get(request_id, ()))

    def wake(self, replica: str) -> None:
        """Have a process look whether its callers are answered."""
        self._notifier.notify(_topic(replica))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Fetch answers that other processes recorded, for as long as this is open."""
        await repository.release_orphans(self._pool)
        async with asyncio.TaskGroup() as tasks:
            fetching = tasks.create_task(self._fetch_for_ever())
            try:
                yield
            finally:
                fetching.cancel()

    async def _fetch_for_ever(self) -> None:
        sweeps = 0
        while True:
            await self._ready.wait(sweep=_SWEEP)
            try:
                if self._futures:
                    for response in await repository.ready(self._pool, list(self._futures)):
                        self._resolve(response)
                await self._miss_erased()
                sweeps += 1
                if sweeps % _ORPHANS_EVERY == 0:
                    await repository.release_orphans(self._pool)
            except DATABASE_TROUBLE as error:
                log.warning("results.database_unavailable", error=str(error))

    def _doubt(self) -> None:
        self._in_doubt.update(self._futures)
        self._ready.set()

    async def _miss_erased(self) -> None:
        looked_for = self._in_doubt & self._stored
        if not looked_for:
            return
        self._in_doubt -= looked_for  # before looking: there may be another change meanwhile
        try:
            gone = await repository.missing(self._pool, list(looked_for))
        except DATABASE_TROUBLE:
            self._in_doubt |= looked_for
            raise
        for request_id in gone:
            self._fail(request_id, RequestErased("The request was erased."))

    def _fail(self, request_id: str, error: Exception) -> None:
        for future in self._futures.get(request_id, ()):
            if not future.done():
                future.set_exception(error)
                future.exception()  # whoever leaves at this moment would leave it "never retrieved"

    def _resolve(self, response: AgentResponse) -> None:
        for future in self._futures.get(response.request_id, ()):
            if not future.done():
                future.set_result(response)


def _topic(replica: str) -> str:
    return f"results/{replica}"
