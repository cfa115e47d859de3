"""Turns finished requests into deliveries."""

from collections.abc import Sequence

from self_service_agent.eventing.bus import AfterCommit, Event
from self_service_agent.integration_dispatcher.preferences.repository import recipients
from self_service_agent.kit import clock
from self_service_agent.kit.database import PooledConnection
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.events import RequestCompleted

from . import repository
from .planning import Planning
from .queue import TOPIC


async def plan_deliveries(
    events: Sequence[Event[RequestCompleted]],
    connection: PooledConnection,
    *,
    planning: Planning,
    notifier: Notifier,
) -> AfterCommit:
    """Store what each answer is to be delivered on, and wake the workers afterwards."""
    answers = [event.data for event in events]
    known = await recipients(connection, {each.response.user_id for each in answers})
    now = clock.now()
    planned = [row for each in answers for row in planning.plan(each, known[each.response.user_id], now=now)]
    await repository.add(connection, planned)
    return lambda: notifier.notify(TOPIC)
