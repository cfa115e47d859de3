"""What can be asked of the audit log, and what it shows."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from pydantic import AwareDatetime, BaseModel, BeforeValidator

from self_service_agent.shared_models.audit.entries import ActorKind, Outcome


class Position(BaseModel):
    """The last entry of a page."""

    at: AwareDatetime
    id: str


def _from_json(value: object) -> object:
    return orjson.loads(value) if isinstance(value, str) else value


class AuditRead(BaseModel):
    """One entry; `occurrences` is above 1 for a refusal that was repeated within a minute."""

    id: str
    at: datetime
    actor: str
    actor_kind: ActorKind
    action: str
    target: str | None
    outcome: Outcome
    reason: str | None
    address: str | None
    correlation_id: str | None
    details: Annotated[dict[str, Any], BeforeValidator(_from_json)]
    occurrences: int


class AuditPage(BaseModel):
    """Entries, newest first, and the cursor of the next page if there is one."""

    entries: list[AuditRead]
    next_cursor: str | None
