"""Accepting requests and seeing them through: answered now, streamed, or answered later."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg

from self_service_agent.eventing.bus import Bus
from self_service_agent.kit import clock, metrics, tracing
from self_service_agent.kit.database import Pool, Pools, finish
from self_service_agent.kit.group_writer import GroupWriter
from self_service_agent.kit.ids import new_id
from self_service_agent.request_manager.results import repository as results
from self_service_agent.request_manager.results.waiters import RequestErased, Waiters
from self_service_agent.shared_models import events
from self_service_agent.shared_models.requests import AddressedRequest, AgentResponse, BaseRequest, RequestStatus
from self_service_agent.shared_models.sessions import ScopePolicies, scope_of_request
from self_service_agent.shared_models.users import User

from . import accepting, repository, rules
from .repository import NewRequest, PersonChanged, StoredRequest, UnstorableRequest
from .rules import Wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator decided: how long sessions last, how they are shared, how long a caller may wait."""

    session_lifetime: timedelta
    scopes: ScopePolicies
    patience: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Accepted, not answered yet."""

    request_id: str
    session_id: str
    status: RequestStatus = RequestStatus.PENDING


# Returns once the caller has gone.
Gone = Callable[[], Coroutine[Any, Any, None]]


_GRACE = 0.1


class _StoppedWaiting(Exception):
    """The caller has waited long enough, or has gone."""


class Requests:
    """The use cases of the request endpoints."""

    def __init__(self, pools: Pools, bus: Bus, waiters: Waiters, *, policy: Policy) -> None:
        self._pools = pools
        self._bus = bus
        self.waiters = waiters
        self._policy = policy
        self._writer: GroupWriter[NewRequest, StoredRequest] = GroupWriter(
            self._store,
            rejections=(
                asyncpg.DataError,
                asyncpg.IntegrityConstraintViolationError,
                asyncpg.DeadlockDetectedError,
            ),
        )

    async def close(self) -> None:
        """Wait until every accepted request is stored."""
        await self._writer.close()

    async def answer(self, request: BaseRequest, user: User, wishes: Wishes, *, gone: Gone) -> AgentResponse | Pending:
        """Accept a request and wait for its answer as long as the caller may wait, and until it has gone."""
        new = self.prepare(request, user, wishes, request_id=new_id())
        if wishes.asynchronous:
            stored = await self.accept(new)
            return await self._pending_again(stored) if stored.repeated else _pending(stored)
        return await self.see_through(new, gone=gone)

    async def see_through(
        self, new: NewRequest, *, gone: Gone, known: StoredRequest | None = None
    ) -> AgentResponse | Pending:
        """Accept a request, or take up the one that is `known` to be the same, and wait for its answer."""
        with self.waiters.waiting(new.request_id) as future:
            stored = known or await self.accept(new)
            return await self.wait(stored, future, gone)

    def prepare(
        self, request: BaseRequest, user: User, wishes: Wishes, *, request_id: str, scope: str | None = None
    ) -> NewRequest:
        """Return `request` in the form in which it is stored, under an id that the caller may follow already.

        `scope` names the session that it belongs to, instead of the policies.
        """
        waits = not wishes.asynchronous
        wanted = request.wanted_session
        session_id = new_id()
        tracing.note(request_id=request_id)
        channel_id, thread_id = rules.thread_of(request)
        scope = scope or scope_of_request(request, self._policy.scopes, session_id=session_id)
        is_known_again = wishes.idempotency_key is not None or isinstance(request, AddressedRequest)
        return NewRequest(
            request_id=request_id,
            user_id=user.user_id,
            scope=f"session:{wanted}" if wanted else scope,
            wanted_session=wanted,
            new_session_id=session_id,
            integration_type=request.integration_type,
            request_type=request.request_type,
            content=request.content,
            normalized=rules.normalized(
                request,
                user,
                request_id=request_id,
                stream_to=self.waiters.replica if wishes.stream else None,
                now=clock.now(),
                traceparent=tracing.traceparent() or tracing.new(),
            ),
            idempotency_key=wishes.idempotency_key,
            fingerprint=rules.fingerprint_of(request) if is_known_again else None,
            reply_to=self.waiters.replica if waits else None,
            promised=wishes.asynchronous or wishes.stream,
            delivery=rules.delivery_json(request, asynchronous=wishes.asynchronous),
            channel_id=channel_id,
            thread_id=thread_id,
        )

    async def accept(self, new: NewRequest) -> StoredRequest:
        """Store a request and everything that follows from it, or raise why not; durable once this returns."""
        try:
            stored = await self._writer.submit(new, key=new.user_id)
        except asyncpg.ForeignKeyViolationError as error:
            raise PersonChanged("Please try again.") from error
        except asyncpg.DataError as error:
            raise UnstorableRequest("The request holds text or numbers that cannot be stored.") from error
        tracing.note(request_id=stored.request_id, session_id=stored.session_id)
        return stored

    async def _pending_again(self, stored: StoredRequest) -> Pending:
        status = await results.confirm(self._pools.durable, stored.request_id)
        return Pending(request_id=stored.request_id, session_id=stored.session_id, status=status)

    async def wait(
        self, stored: StoredRequest, future: "asyncio.Future[AgentResponse]", gone: Gone | None = None
    ) -> AgentResponse | Pending:
        """Wait for the answer as long as a caller may; after that, and if the caller goes, nobody waits for it."""
        if not stored.repeated:
            return await self._wait(stored, future, gone)
        with self.waiters.waiting(stored.request_id) as first:
            before = await results.wait_again(self._pools.durable, stored.request_id, self.waiters.replica)
            ready = await results.ready(self._pools.durable, [stored.request_id])
            outcome = ready[0] if ready else await self._wait(stored, first, gone)
        if before not in {None, self.waiters.replica}:
            self.waiters.wake(before)  # the answer was sent here alone, and somebody waits there too
        return outcome

    async def _wait(
        self, stored: StoredRequest, future: "asyncio.Future[AgentResponse]", gone: Gone | None
    ) -> AgentResponse | Pending:
        watch = _Watch(future, gone, patience=self._policy.patience)
        self.waiters.stored(stored.request_id)
        try:
            return await future
        except _StoppedWaiting:
            if await self._give_up(stored, future):
                return _pending(stored)
            answered = await results.ready(self._pools.durable, [stored.request_id])
            if not answered:
                raise RequestErased("The request was erased.") from None
            return answered[0]  # in the last moment
        except asyncio.CancelledError:
            await finish(self._give_up(stored, future))
            raise
        finally:
            watch.end()

    async def _give_up(self, stored: StoredRequest, future: "asyncio.Future[AgentResponse]") -> bool:
        replica = self.waiters.replica if self.waiters.leave(stored.request_id, future) else None
        return await results.give_up(self._pools.durable, stored.request_id, replica=replica)

    async def _store(self, requests: Sequence[NewRequest]) -> Sequence[StoredRequest | Exception]:
        promised = any(request.promised for request in requests)
        pool = self._pools.durable if promised else self._pools.relaxed
        store = partial(_store, pool, requests, lifetime=self._policy.session_lifetime)
        with metrics.Publishing({events.REQUEST_CREATED: len(requests)}) as publishing:
            try:
                results = await store()
            except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
                if len(requests) > 1:
                    raise
                results = await store()  # another process stored the same Idempotency-Key meanwhile: now it is known
            publishing.counts[events.REQUEST_CREATED] = _count(requests, results)
        self._bus.published(events.REQUEST_CREATED)
        return results


def _count(requests: Sequence[NewRequest], results: Sequence[StoredRequest | Exception]) -> int:
    """Count what was stored, and return how many requests are new."""
    new: dict[str, int] = {}
    opened = 0
    for request, result in zip(requests, results, strict=True):
        if isinstance(result, StoredRequest) and not result.repeated:
            new[request.integration_type] = new.get(request.integration_type, 0) + 1
            opened += result.session_id == request.new_session_id
    for integration_type, count in new.items():
        metrics.REQUESTS_ACCEPTED[integration_type].inc(count)
    total = sum(new.values())
    metrics.SESSIONS_CREATED.inc(opened)
    metrics.SESSIONS_UPDATED.inc(total - opened)
    return total


async def _store(
    pool: Pool, requests: Sequence[NewRequest], *, lifetime: timedelta
) -> Sequence[StoredRequest | Exception]:
    """Store the usual requests at once, and the others with all that they need."""
    usual = [request for request in requests if request.wanted_session is None]
    stored = await accepting.accept(pool, usual, lifetime=lifetime) if usual else {}
    if len(stored) == len(requests):
        return [stored[request.request_id] for request in requests]
    others = [request for request in requests if request.request_id not in stored]
    outcomes = await repository.accept(pool, others, lifetime=lifetime)
    found: dict[str, StoredRequest | Exception] = {
        **stored,
        **{request.request_id: outcome for request, outcome in zip(others, outcomes, strict=True)},
    }
    return [found[request.request_id] for request in requests]


class _Watch:
    """Ends the wait for an answer once it has lasted as long as it may, or the caller has gone.

    Most answers are there before looking out for the caller is worth it.
    """

    def __init__(self, future: "asyncio.Future[AgentResponse]", gone: Gone | None, *, patience: timedelta) -> None:
        self._future = future
        self._gone = gone
        self._patience = patience.total_seconds()
        self._watching: asyncio.Task[None] | None = None
        first = min(_GRACE, self._patience)
        self._timer = asyncio.get_running_loop().call_later(first, self._look_out)

    def end(self) -> None:
        """Stop watching."""
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _look_out(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(
            max(self._patience - _GRACE, 0), _stop_waiting, self._future
        )
        if self._gone is not None:
            self._watching = asyncio.get_running_loop().create_task(self._gone())
            self._watching.add_done_callback(lambda _: _stop_waiting(self._future))


def _stop_waiting(future: "asyncio.Future[AgentResponse]") -> None:
    if not future.done():
        future.set_exception(_StoppedWaiting())


def _pending(stored: StoredRequest) -> Pending:
    return Pending(request_id=stored.request_id, session_id=stored.session_id)
