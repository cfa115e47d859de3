"""What the request manager does when something happens to a conversation from elsewhere: it becomes a request."""

from collections.abc import Sequence
from datetime import timedelta

import orjson

from self_service_agent.eventing.bus import AfterCommit, Bus, Event
from self_service_agent.kit import clock
from self_service_agent.kit.database import PooledConnection
from self_service_agent.shared_models import events
from self_service_agent.shared_models.events import RequestFollowedUp
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import DeliveryChoice

from . import repository
from .rules import delivery_after, normalized_after


async def follow_up(
    happened: Sequence[Event[RequestFollowedUp]], connection: PooledConnection, *, bus: Bus, lifetime: timedelta
) -> AfterCommit:
    """Put each into its session, behind what was asked there before. Of what was erased meanwhile, nothing is made."""
    for event in happened:
        await _store(event.data, connection, lifetime)
    return lambda: bus.published(events.REQUEST_CREATED)


async def _store(event: RequestFollowedUp, connection: PooledConnection, lifetime: timedelta) -> None:
    earlier = await repository.earlier(connection, event.after, event.session_id)
    if earlier is None:
        return
    integration_type = IntegrationType(earlier["integration_type"])
    delivery = delivery_after(DeliveryChoice.model_validate_json(earlier["delivery"]), integration_type)
    normalized = normalized_after(
        orjson.loads(earlier["normalized_request"]), event, user_id=earlier["user_id"], now=clock.now()
    )
    await repository.store(
        connection,
        normalized,
        integration_type=integration_type,
        delivery=delivery.model_dump_json(),
        lifetime=lifetime,
    )
