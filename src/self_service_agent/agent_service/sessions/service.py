"""What people and operators can do with sessions."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import asyncpg

from self_service_agent.kit import metrics
from self_service_agent.kit.database import Executor, Pool, PooledConnection, finish
from self_service_agent.kit.ids import new_id
from self_service_agent.shared_models.audit.entries import act_of
from self_service_agent.shared_models.audit.log import record_within
from self_service_agent.shared_models.sessions import Origin, SessionStatus, scope_of
from self_service_agent.shared_models.users import Caller, User, find_user, giving_way

from . import repository
from .export import exported
from .purge import at_work, lock, purge
from .repository import Search
from .rules import NewSession, SessionPolicy, scope_of_new


class SessionNotFound(Exception):
    """There is no such session, or not for this caller."""

    def __init__(self) -> None:
        super().__init__("There is no such session")


class ScopeTaken(Exception):
    """Another session is active where this one would be."""


class SessionExpired(Exception):
    """The session's time is over; it is never revived."""


class SessionArchived(Exception):
    """The session was put away for good."""


class SessionAtWork(Exception):
    """A request of the session is still being answered, or an answer delivered."""


class VersionChanged(Exception):
    """Somebody else changed the session since the caller read it."""


class Sessions:
    """The sessions of everybody; who may see which is decided before."""

    def __init__(self, pool: Pool, policy: SessionPolicy) -> None:
        self._pool = pool
        self._policy = policy

    async def page(self, search: Search, *, before: str, limit: int) -> tuple[Sequence[asyncpg.Record], str | None]:
        return await repository.page(self._pool, search, before=before, limit=limit)

    async def person(self, name: str) -> User | None:
        """Return whom a uuid, login or e-mail means."""
        return await find_user(self._pool, name)

    async def find(self, session_id: str) -> asyncpg.Record | None:
        return await repository.find(self._pool, session_id)

    async def open(self, user_id: str, new: NewSession) -> asyncpg.Record:
        """Open a session, or raise `IncompleteScope` or `ScopeTaken`."""
        session_id = new_id()
        scope = scope_of_new(new, session_id)

        async def store(connection: PooledConnection) -> asyncpg.Record:
            await repository.end_expired(connection, user_id, scope)
            opened = await repository.open_one(
                connection, new, session_id=session_id, user_id=user_id, scope=scope, lifetime=self._policy.lifetime
            )
            return opened or await self._refuse(connection, user_id, scope)

        opened = await finish(giving_way(self._pool, store))
        metrics.SESSIONS_CREATED.inc()
        return opened

    async def change(
        self, session_id: str, changes: Mapping[str, Any], *, versions: Sequence[int] | None
    ) -> asyncpg.Record:
        """Replace the named fields, or raise `VersionChanged` if the session has none of these versions any more."""
        changed = await finish(repository.change(self._pool, session_id, changes, versions=versions))
        if changed is None:
            await self._existing(session_id)
            raise VersionChanged("the session has changed since: read it again and decide anew")
        return changed

    async def close(self, session_id: str) -> asyncpg.Record:
        """End a session; one that has ended before stays as it is."""
        await finish(repository.close(self._pool, session_id))
        return await self._existing(session_id)

    async def resume(self, session: asyncpg.Record, origin: Origin) -> asyncpg.Record:
        """Let the conversation go on from there, or raise `ScopeTaken`, `SessionExpired` or `SessionArchived`."""
        session_id, user_id = session["session_id"], session["user_id"]
        scope = scope_of(origin, self._policy.scopes, session_id=session_id)

        async def move(connection: PooledConnection) -> asyncpg.Record | None:
            await repository.end_expired(connection, user_id, scope)
            return await repository.resume(
                connection, session_id, scope=scope, origin=origin, lifetime=self._policy.lifetime
            )

        try:
            resumed = await finish(giving_way(self._pool, move))
        except asyncpg.UniqueViolationError:
            return await self._refuse(self._pool, user_id, scope)
        if resumed is None:
            await self._explain(session_id)
            raise SessionExpired("the session has expired; open a new one")
        return resumed

    async def delete(self, session: asyncpg.Record, *, caller: Caller) -> None:
        """Delete a session with everything that belongs to it, or raise `SessionAtWork`.

        Of somebody else's it is in the audit log, in the same transaction.
        """
        session_id = session["session_id"]

        async def remove(connection: PooledConnection) -> None:
            if not await lock(connection, [session_id]):
                raise SessionNotFound
            if await at_work(connection, [session_id]):
                raise SessionAtWork("a request of this session is still being answered, or an answer delivered")
            await purge(connection, [session_id])
            await _record(connection, session, caller, action="session.deleted")

        await finish(giving_way(self._pool, remove))

    async def export(self, session: asyncpg.Record, *, caller: Caller) -> AsyncIterator[bytes]:
        """Return the pieces of one JSON document; of somebody else's session it is in the audit log before."""
        await _record(self._pool, session, caller, action="session.exported")
        return exported(self._pool, session)

    async def _existing(self, session_id: str) -> asyncpg.Record:
        row = await repository.find(self._pool, session_id)
        if row is None:
            raise SessionNotFound
        return row

    async def _explain(self, session_id: str) -> None:
        if (await self._existing(session_id))["status"] == SessionStatus.ARCHIVED:
            raise SessionArchived("the session is archived")

    async def _refuse(self, connection: Executor, user_id: str, scope: str) -> asyncpg.Record:
        taken = await repository.active_in_scope(connection, user_id, scope)
        raise ScopeTaken(f"the session {taken} is active there; close it, or go on in it")


async def _record(executor: Executor, session: asyncpg.Record, caller: Caller, *, action: str) -> None:
    if session["user_id"] != caller.user_id:
        await record_within(
            executor, act_of(caller, action, session["session_id"], details={"user_id": session["user_id"]})
        )
