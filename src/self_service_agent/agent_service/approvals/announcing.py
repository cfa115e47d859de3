"""What is told about an approval: to other services, and to the conversation that waits for it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import asyncpg

from self_service_agent.eventing.bus import Bus
from self_service_agent.eventing.envelope import CloudEvent
from self_service_agent.kit import clock
from self_service_agent.kit.database import PooledConnection
from self_service_agent.shared_models import events
from self_service_agent.shared_models.events import ApprovalDecided, ApprovalRequested, RequestFollowedUp

from .rules import FOLLOW_UP_TYPE, NewApproval, follow_up_id

TYPES: Final = (events.APPROVAL_REQUESTED, events.APPROVAL_DECIDED, events.REQUEST_FOLLOWED_UP)


async def announce_requested(bus: Bus, new: NewApproval, connection: PooledConnection, *, expires_at: datetime) -> None:
    """Publish, in the transaction that stores it, that an approval is wanted."""
    data = ApprovalRequested(
        approval_id=new.approval_id,
        session_id=new.session_id,
        request_id=new.request_id,
        user_id=new.user_id,
        requester=new.requester,
        agent_id=new.agent_id,
        action=new.action,
        summary=new.summary,
        approvers=new.approvers,
        names=new.names,
        expires_at=expires_at,
    )
    event = _event(
        events.APPROVAL_REQUESTED, f"approval-requested:{new.approval_id}", session_id=new.session_id, data=data
    )
    await bus.publish([event], connection)


async def announce_ended(
    bus: Bus, ended: Sequence[asyncpg.Record], connection: PooledConnection, *, told: bool = True
) -> None:
    """Publish what became of approvals; where `told`, their conversations go on with it."""
    published = [_decided(row) for row in ended]
    if told:
        published += [_follow_up(row) for row in ended]
    await bus.publish(published, connection)


def still_open(ended: Iterable[asyncpg.Record]) -> list[asyncpg.Record]:
    """Return those whose conversation goes on: a cancelled one's has ended."""
    return [row for row in ended if row["state"] != "cancelled"]


def _decided(row: asyncpg.Record) -> CloudEvent:
    names = ("approval_id", "session_id", "request_id", "user_id", "action", "state", "decided_by", "comment")
    data = ApprovalDecided(**{name: row[name] for name in names}, decided_at=row["decided_at"])
    return _event(
        events.APPROVAL_DECIDED, f"approval-decided:{row['approval_id']}", session_id=row["session_id"], data=data
    )


def _follow_up(row: asyncpg.Record) -> CloudEvent:
    data = RequestFollowedUp(
        request_id=follow_up_id(row["approval_id"]),
        session_id=row["session_id"],
        after=row["request_id"],
        request_type=FOLLOW_UP_TYPE,
        content=f"(approval {row['state']}: {row['summary']})",
        context={"approval_id": row["approval_id"]},
    )
    return _event(events.REQUEST_FOLLOWED_UP, f"follow-up:{data.request_id}", session_id=row["session_id"], data=data)


def _event(
    kind: str, event_id: str, *, session_id: str, data: ApprovalRequested | ApprovalDecided | RequestFollowedUp
) -> CloudEvent:
    return CloudEvent(
        id=event_id,
        source=events.AGENT_SERVICE,
        type=kind,
        subject=f"session/{session_id}",
        time=clock.now(),
        datacontenttype="application/json",
        dataschema=None,
        extensions={"partitionkey": session_id, "sessionid": session_id},
        data=data.model_dump_json().encode(),
    )
