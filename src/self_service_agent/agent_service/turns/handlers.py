"""What the agent service does with a new request: queue it as a turn of its session, or take it at once."""

from collections.abc import Sequence

from self_service_agent.eventing.bus import AfterCommit, Event
from self_service_agent.kit.database import PooledConnection
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.events import RequestCreated

from . import repository
from .worker import PROMOTE_TOPIC, TOPIC, TurnWorkers


async def queue_turns(
    created: Sequence[Event[RequestCreated]], connection: PooledConnection, *, notifier: Notifier, workers: TurnWorkers
) -> AfterCommit:
    """Queue a turn for each request; what is first in its session is taken here if the workers have room for all."""
    lease_token = workers.reserve(len(created))
    queued = await repository.enqueue(connection, created, lease_token=lease_token, lease=workers.lease)

    def tell() -> None:
        workers.start(queued.taken)
        if lease_token is None:
            notifier.notify(TOPIC)
        for session_id in queued.behind:
            notifier.notify(PROMOTE_TOPIC, session_id)

    return tell
