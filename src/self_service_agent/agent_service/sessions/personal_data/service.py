"""Handing people everything that is stored about them, and erasing it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import orjson

from self_service_agent.agent_service.sessions.export import dumped, exported, listed
from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool, PooledConnection, finish
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.audit.entries import act_of
from self_service_agent.shared_models.audit.log import record_within
from self_service_agent.shared_models.users import CHANGED_TOPIC, Caller, User, find_user, giving_way

from . import repository
from .rules import REMAINS, without_secrets
from .schemas import DoneOutside, Erasure, Remaining

_LOOK_AGAIN_SECONDS = 0.1
_MOST_TRIES = 5


class NoSuchPerson(Exception):
    """Nobody is known by this name."""

    def __init__(self) -> None:
        super().__init__("Nobody is known by this name")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """The data of each person. `patience` is how long an erasure waits for an agent that is at work for them."""

    pool: Pool
    notifier: Notifier
    patience: timedelta = timedelta(seconds=10)

    async def person(self, name: str) -> User | None:
        return await find_user(self.pool, name)

    async def export(self, user: User, *, caller: Caller) -> AsyncIterator[bytes]:
        """Return the pieces of one JSON document with everything about the person, or raise `NoSuchPerson`.

        That it was handed out is in the audit log before it is.
        """
        row = await repository.person(self.pool, user.user_id)
        if row is None:
            raise NoSuchPerson
        await record_within(self.pool, act_of(caller, "person.exported", user.user_id))
        return self._exported(row)

    async def erase(self, user: User, *, caller: Caller) -> Erasure:
        """Delete everything about a person. Of somebody who is not there any more, nothing is left to delete.

        An agent at work for them may finish first, for a while. Then what is on its way is cut off: it acts no more,
        and whoever waits for it gets no answer.
        """
        await self._let_finish(user.user_id)

        async def remove(connection: PooledConnection) -> Erasure:
            return await self._erase(connection, user.user_id, caller)

        erasure = await finish(self._once_nothing_is_added(remove))
        for each in (user.user_id, *user.aliases):
            self.notifier.notify(CHANGED_TOPIC, each)
        return erasure

    async def _once_nothing_is_added(self, remove: Callable[[PooledConnection], Awaitable[Erasure]]) -> Erasure:
        """Begin again if something of the person's was written while theirs was being deleted."""
        for _ in range(_MOST_TRIES - 1):
            with suppress(asyncpg.ForeignKeyViolationError):
                return await giving_way(self.pool, remove)
        return await giving_way(self.pool, remove)

    async def _let_finish(self, user_id: str) -> None:
        until = clock.now() + self.patience
        while clock.now() < until and await repository.being_answered(self.pool, user_id):  # noqa: ASYNC110  # a row sets no event
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _erase(self, connection: PooledConnection, user_id: str, caller: Caller) -> Erasure:
        session_ids = await repository.lock_all(connection, user_id)
        outside = await repository.done_outside(connection, user_id)
        unanswered = await repository.unanswered(connection, user_id)
        deleted = await repository.delete_all(connection, user_id, session_ids)
        await record_within(connection, act_of(caller, "person.erased", user_id, details=deleted))
        return Erasure(
            user_id=user_id,
            deleted=deleted,
            unanswered_requests=unanswered,
            remains=[Remaining(what=what, why=why) for what, why in REMAINS],
            done_outside=[
                DoneOutside(tool=tool, at=at, result=orjson.loads(result) if result else None)
                for tool, at, result in outside
            ],
        )

    async def _exported(self, person: asyncpg.Record) -> AsyncIterator[bytes]:
        lists = await repository.lists(self.pool, person["user_id"])
        known = {name: [_shown(row) for row in rows] for name, rows in lists.items()}
        yield b'{"exported_at":' + orjson.dumps(clock.now()) + b',"user":' + dumped(person, **known) + b',"sessions":'
        async for piece in listed(self._sessions(person["user_id"])):
            yield piece
        yield b"}"

    async def _sessions(self, user_id: str) -> AsyncIterator[bytes]:
        last = ""
        while session := await repository.session_after(self.pool, user_id, last):
            last = session["session_id"]
            yield b"".join([piece async for piece in exported(self.pool, session)])


def _shown(row: asyncpg.Record) -> dict[str, object]:
    shown = dict(row)
    return shown | {"config": without_secrets(orjson.loads(shown["config"]))} if "config" in shown else shown
