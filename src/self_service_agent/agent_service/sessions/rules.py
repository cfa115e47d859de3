"""What holds for sessions: which versions a caller may change, and where a new or moved one belongs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from self_service_agent.shared_models.sessions import Origin, ScopePolicies, ScopePolicy, scope_by

_ETAG = re.compile(r'"(\d{1,9})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """How long a session lasts after its last request, and which requests share one."""

    lifetime: timedelta
    scopes: ScopePolicies


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """How long an ended session is kept, and how often those that have been kept long enough are deleted."""

    keep: timedelta
    interval: timedelta
    first_after: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session as its owner opens it, before any request."""

    origin: Origin
    policy: ScopePolicy
    metadata: Mapping[str, Any]
    user_context: Mapping[str, Any]


class IncompleteScope(ValueError):
    """What the scope goes by is not given."""


def etag_of(version: int) -> str:
    return f'"{version}"'


def versions_of(if_match: str | None) -> tuple[int, ...] | None:
    """Return the versions that `If-Match` allows; None is any. What we never gave out as an ETag matches nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (_ETAG.fullmatch(each.strip()) for each in if_match.split(","))
    return tuple(int(tag[1]) for tag in tags if tag)


def scope_of_new(new: NewSession, session_id: str) -> str:
    """Return the scope of a session that is opened on purpose, or raise `IncompleteScope`."""
    scope = scope_by(new.policy, new.origin, session_id=session_id)
    if not scope:
        raise IncompleteScope(f"a session of the scope {new.policy} needs a {new.policy}_id")
    return scope
