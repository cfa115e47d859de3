"""What people can do about approvals: see them, decide them, take them back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from self_service_agent.eventing.bus import Bus
from self_service_agent.kit.database import Pool, PooledConnection, finish
from self_service_agent.shared_models.audit.entries import ActorKind, AuditEntry
from self_service_agent.shared_models.audit.log import record_within
from self_service_agent.shared_models.users import find_user

from . import repository
from .announcing import TYPES, announce_ended
from .rules import ApprovalPolicy, ApprovalState, Decider, Decision, Position, decider, may_decide, may_see


class ApprovalNotFound(Exception):
    """There is no such approval, or not for this person."""

    def __init__(self) -> None:
        super().__init__("There is no such approval")


class NotEntitled(Exception):
    """The person may see the approval, and not decide it."""


class AlreadyDecided(Exception):
    """Something else came of the approval before; `approval` says what."""

    def __init__(self, approval: asyncpg.Record) -> None:
        super().__init__(approval["approval_id"])
        self.approval = approval

    @property
    def what(self) -> str:
        """What came of it, in a sentence."""
        match ApprovalState(self.approval["state"]):
            case ApprovalState.EXPIRED:
                return "the time to decide this is over"
            case ApprovalState.CANCELLED if not self.approval["is_open"]:
                return "the conversation that asked for this has ended"
            case ApprovalState.CANCELLED:
                return "this was taken back"
            case state:
                return f"this was {state} by {self.approval['decider']} before"


@dataclass(frozen=True, kw_only=True)
class Approvals:
    """The approvals of everybody."""

    pool: Pool
    bus: Bus
    policy: ApprovalPolicy

    async def known_decider(self, user_id: str, roles: Iterable[str]) -> Decider:
        """Return who this is and what they may decide, or raise `ApprovalNotFound` if they are not known any more."""
        user = await find_user(self.pool, user_id)
        if user is None:
            raise ApprovalNotFound
        return decider(user, roles, self.policy.groups)

    async def find(self, approval_id: str, who: Decider) -> asyncpg.Record:
        """Return an approval, or raise `ApprovalNotFound`, as if there were none, for whom it does not concern."""
        row = await repository.find(self.pool, approval_id)
        if row is None or not may_see(who, requester_id=row["user_id"], approvers=row["approvers"]):
            raise ApprovalNotFound
        return row

    async def to_decide(
        self, who: Decider, *, states: Sequence[str], after: Position, limit: int
    ) -> list[asyncpg.Record]:
        return await repository.to_decide(
            self.pool, who.keys, user_id=who.user.user_id, states=states, after=after, limit=limit
        )

    async def requested(
        self, who: Decider, *, states: Sequence[str], after: Position, limit: int
    ) -> list[asyncpg.Record]:
        return await repository.requested_by(self.pool, who.user.user_id, states=states, after=after, limit=limit)

    async def decide(self, approval_id: str, decision: Decision, *, who: Decider) -> asyncpg.Record:
        """Grant or deny, once; the same again is the same answer.

        Raises `ApprovalNotFound`, `NotEntitled`, or `AlreadyDecided` if something else came of it.
        """
        row = await self.find(approval_id, who)
        if who.user.user_id == row["user_id"]:
            raise NotEntitled("nobody decides what they asked for themselves")
        if not may_decide(who, requester_id=row["user_id"], approvers=row["approvers"]):
            raise NotEntitled(f"this is for {row['approvers']} to decide")
        return await self._settle(approval_id, decision, who)

    async def cancel(self, approval_id: str, decision: Decision, *, who: Decider) -> asyncpg.Record:
        """Take a request for approval back; that is up to who asked, and to staff. Raises as `decide` does."""
        row = await self.find(approval_id, who)
        if not (who.is_staff or who.user.user_id == row["user_id"]):
            raise NotEntitled("only who asked for this can take it back")
        return await self._settle(approval_id, decision, who)

    async def _settle(self, approval_id: str, decision: Decision, who: Decider) -> asyncpg.Record:
        async def write() -> bool:
            async with self.pool.acquire() as connection, connection.transaction():
                return await self._write(connection, approval_id, decision, by=who.user.user_id)

        if await finish(write()):
            self.bus.published(*TYPES)
        row = await self.find(approval_id, who)
        # What only looks ended may still be decided by somebody who began before: what counts is what is noted.
        if row["noted_state"] != decision.state:
            raise AlreadyDecided(row)
        return row

    async def _write(self, connection: PooledConnection, approval_id: str, decision: Decision, *, by: str) -> bool:
        row = await repository.decide(connection, approval_id, decision, by=by)
        if row is None:
            return False
        await announce_ended(self.bus, [row], connection)
        await record_within(connection, _audited(row, decision, by))
        return True


def _audited(row: asyncpg.Record, decision: Decision, by: str) -> AuditEntry:
    details: dict[str, Any] = {name: row[name] for name in ("action", "user_id", "session_id", "arguments_digest")}
    return AuditEntry(
        actor=by,
        actor_kind=ActorKind.PERSON,
        action=f"approval.{decision.state}",
        target=row["approval_id"],
        details=details | {"channel": decision.channel.value},
    )
