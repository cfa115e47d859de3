"""Makes valid audit entries, and time; a test names only what matters to it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from self_service_agent.shared_models.audit.entries import ActorKind, AuditEntry, Outcome

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def an_act(**changes: Any) -> AuditEntry:
    return AuditEntry(**{"actor": "alice.johnson", "actor_kind": ActorKind.PERSON, "action": "key.create", **changes})


def a_refusal(**changes: Any) -> AuditEntry:
    values = {
        "actor": "anonymous", "actor_kind": ActorKind.ANONYMOUS, "action": "authentication", "target": "/requests/web",
        "outcome": Outcome.REFUSED, "reason": "this key is not known here", "address": "192.0.2.7",
    }  # fmt: skip
    return AuditEntry(**{**values, **changes})


class Clock:
    """Shows the time it is set to."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **interval: float) -> None:
        self.time += timedelta(**interval)


async def eventually(check: Any, *, within: float = 10) -> Any:
    """Return what `check` returns as soon as that is true."""
    async with asyncio.timeout(within):
        while not (found := await check()):
            await asyncio.sleep(0.005)  # the database says nothing by itself
        return found
