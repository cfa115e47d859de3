"""What the request manager does with an agent's answer: record it, wake who waits, hand it on for delivery."""

import contextlib
import time
from collections.abc import Mapping, Sequence

import orjson

from self_service_agent.eventing.bus import AfterCommit, Bus, Event
from self_service_agent.eventing.envelope import CloudEvent
from self_service_agent.kit import clock, metrics, tracing
from self_service_agent.kit.database import PooledConnection
from self_service_agent.shared_models import events
from self_service_agent.shared_models.events import RequestCompleted, ResponseReady
from self_service_agent.shared_models.requests import AgentResponse, DeliveryMode

from . import repository
from .progress import Followers
from .repository import Completion
from .waiters import Waiters


async def record_responses(
    ready: Sequence[Event[ResponseReady]],
    connection: PooledConnection,
    *,
    bus: Bus,
    waiters: Waiters,
    followers: Followers,
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
        followers.changed(item.request_id for item in completions)
        if deliveries:
            bus.published(events.REQUEST_COMPLETED)
        _count(completions, responses)

    return wake


def _count(completions: Sequence[Completion], responses: Mapping[str, AgentResponse]) -> None:
    now = time.time()
    for item in completions:
        outcome = "failed" if responses[item.request_id].response_type == "error" else "completed"
        with contextlib.suppress(ValueError):  # an id that is not ours does not tell
            metrics.REQUEST_SECONDS[item.integration_type, outcome].observe(now - _taken_in_at(item.request_id))


def _taken_in_at(request_id: str) -> float:
    """Return when a request was taken in: its id is a UUIDv7, which begins with the milliseconds since 1970."""
    return int(f"{request_id[:8]}{request_id[9:13]}", 16) / 1000


def _goes_to_channels(completion: Completion) -> bool:
    match completion.delivery.mode:
        case DeliveryMode.REPLY:  # channels are for a caller that has gone
            return bool(completion.delivery.channels) and completion.waited_for_by is None
        case DeliveryMode.CHANNELS | DeliveryMode.BOTH:
            return True


def _for_delivery(completion: Completion, response: AgentResponse) -> CloudEvent:
    context = orjson.loads(completion.integration_context)
    data = RequestCompleted(
        response=AgentResponse.model_validate(response.model_dump()),
        integration_type=completion.integration_type,
        channels=completion.delivery.channels,
        integration_context=context,
    )
    traceparent = tracing.read(context.get(tracing.HEADER))
    return CloudEvent(
        id=f"request-completed:{response.request_id}",
        source=events.REQUEST_MANAGER,
        type=events.REQUEST_COMPLETED,
        subject=f"request/{response.request_id}",
        time=clock.now(),
        datacontenttype="application/json",
        dataschema=None,
        extensions={
            "partitionkey": response.session_id,
            "requestid": response.request_id,
            "sessionid": response.session_id,
            **({tracing.HEADER: traceparent} if traceparent else {}),
        },
        data=data.model_dump_json().encode(),
    )
