"""What a process says about its agents to whoever looks after it."""

from collections.abc import Mapping
from typing import Any

from self_service_agent.kit.health import Facts

from .roster import Refusal, Roster


def facts_of(roster: Roster) -> Facts:
    """Return what tells the digests of the agents, when they were read last, and what was refused since."""

    async def facts() -> Mapping[str, Any]:
        return {
            "agents": {
                "digests": {agent.id: agent.digest for agent in roster.definitions},
                "loaded_at": roster.loaded_at.isoformat(),
                "refused": _refused(roster.refusal),
            }
        }

    return facts


def _refused(refusal: Refusal | None) -> Mapping[str, Any] | None:
    return None if refusal is None else {"at": refusal.at.isoformat(), "problems": list(refusal.problems)}
