"""What people of the help desk do with conversations that were handed over to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from self_service_agent.eventing.bus import Bus
from self_service_agent.eventing.envelope import CloudEvent
from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool, PooledConnection, finish
from self_service_agent.kit.ids import derived_id, new_id
from self_service_agent.shared_models import events
from self_service_agent.shared_models.audit.entries import ActorKind, AuditEntry
from self_service_agent.shared_models.audit.log import record_within
from self_service_agent.shared_models.events import RequestFollowedUp
from self_service_agent.shared_models.users import find_user

from . import repository
from .rules import FOLLOW_UP_TYPES, Act, ActKind, HandoffState

_ENDS = {ActKind.RETURN: HandoffState.RETURNED, ActKind.CLOSE: HandoffState.CLOSED}
_SHOWN_MESSAGES = 100


class HandoffNotFound(Exception):
    """There is no such hand-off."""

    def __init__(self) -> None:
        super().__init__("There is no such hand-off")


class NotInYourHands(Exception):
    """The conversation is somebody else's, nobody's, or the agent's again."""


class KeyReused(Exception):
    """The same key came before, with something else to say."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used before, for a different reply.")


@dataclass(frozen=True, kw_only=True)
class Handoffs:
    """The hand-offs of everybody; that the caller is of the staff is checked before."""

    pool: Pool
    bus: Bus

    async def waiting(self, *, limit: int) -> Sequence[asyncpg.Record]:
        return await repository.waiting(self.pool, limit=limit)

    async def find(self, handoff_id: str) -> asyncpg.Record:
        """Return one, or raise `HandoffNotFound`."""
        row = await repository.find(self.pool, handoff_id)
        if row is None:
            raise HandoffNotFound
        return row

    async def messages(self, handoff: asyncpg.Record) -> list[dict[str, Any]]:
        """Return the conversation as it is by now."""
        return await repository.transcript(self.pool, handoff["session_id"], limit=_SHOWN_MESSAGES)

    async def claim(self, handoff_id: str, user_id: str) -> asyncpg.Record:
        """Take a conversation in hand; again is the same. Raises `NotInYourHands` if somebody else was quicker."""

        async def write() -> None:
            async with self.pool.acquire() as connection, connection.transaction():
                if await repository.claim(connection, handoff_id, user_id):
                    await record_within(connection, _audited("claimed", handoff_id, user_id))

        await finish(write())
        row = await self.find(handoff_id)
        if row["state"] != HandoffState.CLAIMED or row["owner"] != user_id:
            raise NotInYourHands(_why(row))
        return row

    async def act(self, handoff_id: str, kind: ActKind, *, user_id: str, content: str, key: str | None = None) -> str:
        """Answer, give back or settle, and return the request by which that is told; with the same `key` once.

        Raises `HandoffNotFound`, `KeyReused`, or `NotInYourHands` unless the caller has claimed it.
        """
        user = await find_user(self.pool, user_id)
        done = Act(
            request_id=new_id() if key is None else derived_id(handoff_id, f"{user_id}/{kind}/{key}"),
            kind=kind,
            author=user_id,
            author_name=(user and (user.email or user.login)) or user_id,
            content=content,
        )
        if await finish(self._write(handoff_id, done)):
            self.bus.published(events.REQUEST_FOLLOWED_UP)
        return done.request_id

    async def _write(self, handoff_id: str, done: Act) -> bool:
        async with self.pool.acquire() as connection, connection.transaction():
            row = await repository.held(connection, handoff_id, done.author)
            if row is None:
                return await self._refuse(connection, handoff_id, done)
            if not await repository.act(connection, handoff_id, done):
                return await self._said_before(connection, done)
            if done.kind in _ENDS:
                await repository.end(connection, handoff_id, _ENDS[done.kind])
            await self.bus.publish([_follow_up(row, done)], connection)
            await record_within(connection, _audited(done.kind, handoff_id, done.author))
            return True

    async def _said_before(self, connection: PooledConnection, done: Act) -> bool:
        known = await repository.act_of(connection, done.request_id)
        if known is not None and known["content"] != done.content:
            raise KeyReused
        return False

    async def _refuse(self, connection: PooledConnection, handoff_id: str, done: Act) -> bool:
        if await repository.act_of(connection, done.request_id) is not None:
            return await self._said_before(connection, done)  # and over by now
        row = await repository.find(connection, handoff_id)
        if row is None:
            raise HandoffNotFound
        raise NotInYourHands(_why(row))


def _why(row: asyncpg.Record) -> str:
    match HandoffState(row["state"]):
        case HandoffState.OPEN:
            return "claim the conversation first"
        case HandoffState.CLAIMED:
            return f"the conversation is in the hands of {row['owner_name']}"
        case HandoffState.RETURNED:
            return "the conversation is the agent's again"
        case HandoffState.CLOSED:
            return "the matter is closed, or the conversation has ended"


def _follow_up(row: asyncpg.Record, done: Act) -> CloudEvent:
    data = RequestFollowedUp(
        request_id=done.request_id,
        session_id=row["session_id"],
        after=row["request_id"],
        request_type=FOLLOW_UP_TYPES[done.kind],
        content=f"({done.kind} by {done.author_name})",
        context={"handoff_id": row["handoff_id"]},
    )
    return CloudEvent(
        id=f"follow-up:{done.request_id}",
        source=events.AGENT_SERVICE,
        type=events.REQUEST_FOLLOWED_UP,
        subject=f"session/{row['session_id']}",
        time=clock.now(),
        datacontenttype="application/json",
        dataschema=None,
        extensions={"partitionkey": row["session_id"], "sessionid": row["session_id"]},
        data=data.model_dump_json().encode(),
    )


def _audited(what: str, handoff_id: str, user_id: str) -> AuditEntry:
    return AuditEntry(actor=user_id, actor_kind=ActorKind.OPERATOR, action=f"handoff.{what}", target=handoff_id)
