"""What the request manager does with an agent's answer: record it, wake who waits, hand it on for delivery."""

from collections.abc import Sequence

import orjson

from self_service_agent.eventing.bus import AfterCommit, Bus, Event
from self_service_agent.eventing.envelope import CloudEvent
from self_service_agent.kit import clock
from self_service_agent.kit.database import PooledConnection
from self_service_agent.shared_models import events
from self_service_agent.shared_models.events import RequestCompleted, ResponseReady
from self_service_agent.shared_models.requests import AgentResponse, DeliveryMode

from . import repository
from .repository import Completion
from .waiters import Waiters


async def record_responses(
    ready: Sequence[Event[ResponseReady]], connection: PooledConnection, *, bus: Bus, waiters: Waiters
) -> AfterCommit | None:
    """Complete the answered requests; an answer goes to its waiting caller, to channels, or to both."""
    responses = {event.data.request_id: event.data for event in ready}
    completions = await repository.complete(connection, list(responses.values()))
    deliveries = [_for_delivery(item, responses[item.request_id]) for item in completions if _goes_to_channels(item)]
    await bus.publish(deliveries, connection)

    def wake() -> None:
        for item in completions:
            if item.waited_for_by is not None:
                waiters.answer(responses[item.request_id], waited_for_by=item.waited_for_by)
        if deliveries:
            bus.published(events.REQUEST_COMPLETED)

    return wake


def _goes_to_channels(completion: Completion) -> bool:
    match completion.delivery.mode:
        case DeliveryMode.REPLY:  # channels are for a caller that has gone
            return bool(completion.delivery.channels) and completion.waited_for_by is None
        case DeliveryMode.CHANNELS | DeliveryMode.BOTH:
            return True


def _for_delivery(completion: Completion, response: AgentResponse) -> CloudEvent:
    data = RequestCompleted(
        response=AgentResponse.model_validate(response.model_dump()),
        integration_type=completion.integration_type,
        channels=completion.delivery.channels,
        integration_context=orjson.loads(completion.integration_context),
    )
    return CloudEvent(
        id=f"request-completed:{response.request_id}",
        source=events.REQUEST_MANAGER,
        type=events.REQUEST_COMPLETED,
        subject=f"request/{response.request_id}",
        time=clock.now(),
        datacontenttype="application/json",
        dataschema=None,
        extensions={"partitionkey": response.session_id, "requestid": response.request_id},
        data=data.model_dump_json().encode(),
    )
