"""Tells those who may decide an approval that it waits for them, and what became of it if they need not any more."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from self_service_agent.eventing.bus import AfterCommit, Event
from self_service_agent.integration_dispatcher.preferences.repository import added_person, recipients
from self_service_agent.integration_dispatcher.preferences.rules import Recipient
from self_service_agent.kit import clock
from self_service_agent.kit.database import PooledConnection
from self_service_agent.kit.ids import derived_id
from self_service_agent.kit.lines import one_line
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.approval_links import PLACEHOLDER, ApprovalLinks, LinkBearer
from self_service_agent.shared_models.events import ApprovalRequested, RequestCompleted
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import AgentResponse
from self_service_agent.shared_models.users import UnusableName

from . import repository
from .planning import PlannedDelivery, Planning
from .queue import TOPIC

_KEY: Final = "approval_id"
_DEADLINE: Final = "approval_expires_at"
_NAME_LIMIT: Final = 200
_SUMMARY_LIMIT: Final = 1500


async def plan_approvals(
    events: Sequence[Event[ApprovalRequested]],
    connection: PooledConnection,
    *,
    planning: Planning,
    notifier: Notifier,
) -> AfterCommit:
    """Store the messages to everybody who is to be told, but for the one who asks, and wake the workers afterwards."""
    planned = [row for event in events for row in await _plan(event.data, connection, planning)]
    await repository.add(connection, planned)
    return lambda: notifier.notify(TOPIC)


def with_link(
    content: str, reply: Mapping[str, Any], *, user_id: str, links: ApprovalLinks | None, longest: timedelta
) -> str:
    """Return a message with the link by which its reader may decide, once; one that asks for nothing stays as it is."""
    approval_id, deadline = reply.get(_KEY), reply.get(_DEADLINE)
    if not isinstance(approval_id, str) or not isinstance(deadline, str):
        return content
    until = min(datetime.fromisoformat(deadline), clock.now() + longest)
    link = links.link(LinkBearer(approval_id=approval_id, user_id=user_id), until=until) if links else None
    instead = f"With the command line: ssa approvals show {approval_id}"
    return content.replace(PLACEHOLDER, link or instead, 1)


async def _plan(event: ApprovalRequested, connection: PooledConnection, planning: Planning) -> list[PlannedDelivery]:
    told = [each for each in await _told(event, connection) if each.person.user_id != event.user_id]
    return [row for each in told for row in _planned(event, each, planning)]


async def _told(event: ApprovalRequested, connection: PooledConnection) -> Sequence[Recipient]:
    ids = []
    for name in event.names:
        try:
            ids.append((await added_person(connection, name)).user_id)
        except UnusableName:
            continue
    return list((await recipients(connection, dict.fromkeys(ids))).values())


def _planned(event: ApprovalRequested, recipient: Recipient, planning: Planning) -> list[PlannedDelivery]:
    """Return the deliveries to one person.

    They belong to the request that asked, and go with it; they stand in a line of their own, not in the requester's.
    """
    rows = planning.plan(_message(event, recipient.person.user_id), recipient, now=clock.now())
    parent = f"{event.approval_id}/{recipient.person.user_id}"
    return [
        replace(row, delivery_id=derived_id(parent, row.integration_type), expires_at=event.expires_at) for row in rows
    ]


def _message(event: ApprovalRequested, user_id: str) -> RequestCompleted:
    response = AgentResponse(
        request_id=event.request_id,
        session_id=event.approval_id,
        user_id=user_id,
        agent_id=event.agent_id,
        content=_text(event),
        metadata={
            "subject": f"Approval wanted by {one_line(event.requester, limit=_NAME_LIMIT)}",
            _KEY: event.approval_id,
            _DEADLINE: event.expires_at.isoformat(),
        },
        created_at=clock.now(),
    )
    return RequestCompleted(
        response=response, integration_type=IntegrationType.EMAIL, channels=(), integration_context={}
    )


def _text(event: ApprovalRequested) -> str:
    deadline = event.expires_at.astimezone(UTC)
    requester = one_line(event.requester, limit=_NAME_LIMIT)
    return (
        f"{requester} asks for your approval. To see it and decide:\n{PLACEHOLDER}\n\n"
        f"The link is for you alone: please do not pass it on. "
        f"Please decide by {deadline:%Y-%m-%d %H:%M} UTC; after that it counts as declined.\n\n"
        f"What is asked for; what stands in quotation marks was written by {requester}:\n"
        f"> {one_line(event.summary, limit=_SUMMARY_LIMIT)}"
    )
