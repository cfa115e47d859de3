"""What a turn leaves behind beside its answer: rare, and written in the same transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from self_service_agent.agent_service.approvals import repository as approvals
from self_service_agent.agent_service.approvals.announcing import TYPES, announce_ended, announce_requested
from self_service_agent.agent_service.approvals.expiry import TOPIC
from self_service_agent.agent_service.approvals.rules import NewApproval
from self_service_agent.agent_service.handoffs import repository as handoffs
from self_service_agent.agent_service.handoffs.rules import QUEUE, NewHandoff
from self_service_agent.eventing.bus import Bus
from self_service_agent.kit.database import PooledConnection
from self_service_agent.kit.notifications import Notifier

_TYPES: Final = TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """An approval that is asked for, those that nothing waits for any more, and to whom the conversation went."""

    session_id: str
    approval: NewApproval | None = None
    withdrawn: frozenset[str] = frozenset()
    handoff: NewHandoff | None = None
    took_back: bool = False


@dataclass(frozen=True, kw_only=True)
class Consequences:
    """Writes down the aftermath of turns, and says so once that is committed."""

    bus: Bus
    notifier: Notifier

    async def record(self, connection: PooledConnection, aftermaths: Iterable[Aftermath]) -> None:
        """Write in the transaction that finishes the turns."""
        for each in aftermaths:
            if each.approval is not None:
                await self._store(connection, each.approval)
            if each.withdrawn:
                ended = await approvals.withdraw(connection, each.withdrawn, session_id=each.session_id)
                await announce_ended(self.bus, ended, connection, told=False)
            if each.took_back:
                await handoffs.taken_back(connection, each.session_id)
            if each.handoff is not None:
                await handoffs.store(connection, each.handoff, queue=QUEUE)

    def tell(self) -> None:
        """Wake whoever carries this on."""
        self.bus.published(*_TYPES)
        self.notifier.notify(TOPIC)

    async def _store(self, connection: PooledConnection, new: NewApproval) -> None:
        stored = await approvals.store(connection, new)
        if stored is not None:
            await announce_requested(self.bus, new, connection, expires_at=stored["expires_at"])
