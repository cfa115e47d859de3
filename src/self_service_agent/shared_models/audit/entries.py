"""What the audit log says about an act: who did what to what, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from self_service_agent.shared_models.users import Caller

from .redaction import without_secrets

_LIMITS = {"actor": 255, "action": 100, "target": 255, "reason": 500, "address": 45, "correlation_id": 128}


class Outcome(StrEnum):
    ALLOWED = "allowed"
    REFUSED = "refused"
    FAILED = "failed"


class ActorKind(StrEnum):
    PERSON = "person"
    TOOL = "tool"
    SERVICE = "service"
    OPERATOR = "operator"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One act. A person is named by their user id, and who did not prove who they are is `anonymous`."""

    actor: str
    actor_kind: ActorKind
    action: str
    target: str | None = None
    outcome: Outcome = Outcome.ALLOWED
    reason: str | None = None
    address: str | None = None
    correlation_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """An entry with its place in the log; `occurrences` counts equal refusals within a minute."""

    id: str
    at: datetime
    entry: AuditEntry
    occurrences: int = 1


def act_of(
    caller: Caller, action: str, target: str, *, details: Mapping[str, Any] = MappingProxyType({})
) -> AuditEntry:
    """Return the entry of what a person did."""
    return AuditEntry(
        actor=caller.user_id,
        actor_kind=ActorKind.PERSON,
        action=action,
        target=target,
        address=caller.address,
        details=details,
    )


def shortened(entry: AuditEntry) -> AuditEntry:
    """Return the entry with each of its texts no longer than its column."""
    texts = {name: getattr(entry, name) for name in _LIMITS}
    return replace(entry, **{name: text and text[: _LIMITS[name]] for name, text in texts.items()})


def storable(entry: AuditEntry) -> AuditEntry:
    """Return the entry without anything secret and without what a column could not hold."""
    texts: dict[str, Any] = {name: without_secrets(getattr(entry, name)) for name in _LIMITS}
    return shortened(replace(entry, **texts, details=without_secrets(dict(entry.details))))
