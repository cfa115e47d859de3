"""What the agent service does with a new request: queue it as a turn of its session, in the session's order."""

from collections.abc import Sequence

from self_service_agent.eventing.bus import AfterCommit, Event
from self_service_agent.kit.database import PooledConnection
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.events import RequestCreated

from . import repository

TOPIC = "turns"
PROMOTE_TOPIC = "turns/promote"


async def queue_turns(
    created: Sequence[Event[RequestCreated]], connection: PooledConnection, *, notifier: Notifier
) -> AfterCommit:
    """Queue a turn for each request."""
    behind = await repository.enqueue(connection, created)

    def tell() -> None:
        notifier.notify(TOPIC)
        for session_id in behind:
            notifier.notify(PROMOTE_TOPIC, session_id)

    return tell
