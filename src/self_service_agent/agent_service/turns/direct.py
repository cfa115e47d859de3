"""Turns that another service brings itself, without an event, and whose answer it waits for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from self_service_agent.eventing.bus import AfterCommit, Event
from self_service_agent.kit.database import Pool, PooledConnection, finish
from self_service_agent.kit.problems import Problem
from self_service_agent.shared_models.events import RequestCreated

from . import repository
from .listening import Listeners

# Queues turns in a transaction, or takes them at once where that can be.
Queue = Callable[[Sequence[Event[RequestCreated]], PooledConnection], Awaitable[AfterCommit]]


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """A turn that is not answered here: it waits in its session, is taken elsewhere, or was answered before."""

    status: str


class DirectTurns:
    """Takes turns at once, in the order of their sessions; the same request again is the same turn."""

    def __init__(self, pool: Pool, queue: Queue, *, listeners: Listeners, patience: timedelta) -> None:
        self._pool = pool
        self._queue = queue
        self._listeners = listeners
        self._patience = patience

    async def take(self, request: RequestCreated) -> str | Unanswered:
        """Return the answer in JSON as far as it is given here and in time; 404 without such an agent or session."""
        if not await repository.is_published(self._pool, request.target_agent_id or ""):
            raise Problem(HTTPStatus.NOT_FOUND, f"There is no agent {request.target_agent_id}.")
        with self._listeners.listening(request.request_id) as future:
            if await finish(self._bring(request)):
                return await self._answer(request.request_id, future)
        return Unanswered(status=await repository.confirm(self._pool, request.request_id))

    async def _answer(self, request_id: str, future: "asyncio.Future[str]") -> str | Unanswered:
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                answer = await future
        except TimeoutError:
            return Unanswered(status=await repository.confirm(self._pool, request_id))
        await repository.confirm(self._pool, request_id)
        return answer

    async def _bring(self, request: RequestCreated) -> bool:
        """Queue a turn; False means that it was brought before."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await repository.is_known(connection, request.request_id):
                return False
            sequence = await repository.next_sequence(
                connection, request.session_id, user_id=request.user_id, request_id=request.request_id
            )
            if sequence is None:
                raise Problem(HTTPStatus.NOT_FOUND, "There is no such session of this person, or it has ended.")
            event = Event(
                id=request.request_id,
                partition_key=request.session_id,
                sequence=sequence,
                data=request,
                text=request.model_dump_json(),
            )
            tell = await self._queue([event], connection)
        tell()
        return True
