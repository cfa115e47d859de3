"""Sessions: which requests share one, and the statements by which the accept of a request finds or opens it.

The agent service owns the table; other writers use these statements and no others.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator

from .integrations import IntegrationType
from .requests import BaseRequest


def in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC, where it is one without a zone; raise `ValueError` for one that UTC has no year for."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be a year from 1 to 9999 in UTC") from error


# A time that a caller looks for; one without a zone is in UTC.
Moment = Annotated[datetime, AfterValidator(in_utc)]


class SessionStatus(StrEnum):
    """Where a session stands; only an active one takes requests, and an expired one never does again."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    EXPIRED = "EXPIRED"
    ARCHIVED = "ARCHIVED"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls._member_map_.get(value.upper()) if isinstance(value, str) else None  # type: ignore[return-value]  # the member map is typed as Enum


class ScopePolicy(StrEnum):
    """Which requests of a person share a session: all of them, those of a type, a thread, a ticket, or a named one."""

    USER = "user"
    TYPE = "type"
    THREAD = "thread"
    TICKET = "ticket"
    EXPLICIT = "explicit"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls._member_map_.get(value.upper()) if isinstance(value, str) else None  # type: ignore[return-value]  # the member map is typed as Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopePolicies:
    """The policy of each integration type; `usual` holds for the others, and where a thread or ticket is missing."""

    chosen: Mapping[IntegrationType, ScopePolicy]
    usual: ScopePolicy

    def of(self, integration_type: IntegrationType) -> ScopePolicy:
        return self.chosen.get(integration_type, self.usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request comes from, as far as it decides which session it belongs to."""

    integration_type: IntegrationType
    channel_id: str | None = None
    thread_id: str | None = None
    ticket_id: str | None = None
    name: str | None = None


_SCOPED_BY_THREAD: Final = (IntegrationType.SLACK, IntegrationType.EMAIL)
_PART_LIMIT: Final = 255


def scope_policies(
    chosen: Mapping[IntegrationType, ScopePolicy] | None = None, *, per_integration_type: bool = False
) -> ScopePolicies:
    """Return the policies in force: what the operator chose, else one session for each Slack and e-mail thread."""
    usual = ScopePolicy.TYPE if per_integration_type else ScopePolicy.USER
    return ScopePolicies(chosen={**dict.fromkeys(_SCOPED_BY_THREAD, ScopePolicy.THREAD), **(chosen or {})}, usual=usual)


def scope_of_request(request: BaseRequest, policies: ScopePolicies, *, session_id: str) -> str:
    """Return the scope of a request; `session_id` is the id that a session opened for it would have."""
    policy = policies.of(request.integration_type)
    if policy is ScopePolicy.USER:
        return "user"
    return scope_of(origin_of(request), policies, session_id=session_id)


def scope_of(origin: Origin, policies: ScopePolicies, *, session_id: str) -> str:
    """Return the scope that the policies give to what comes from there."""
    policy = policies.of(origin.integration_type)
    return scope_by(policy, origin, session_id=session_id) or _usual_scope(origin, policies.usual)


def scope_by(policy: ScopePolicy, origin: Origin, *, session_id: str) -> str | None:
    """Return the scope that one policy gives, or None if what it goes by is missing."""
    kind = origin.integration_type.lower()
    match policy:
        case ScopePolicy.USER:
            return "user"
        case ScopePolicy.TYPE:
            return origin.integration_type.value
        case ScopePolicy.THREAD:
            return origin.thread_id and f"{kind}:{_part(origin.channel_id or '')}:{_part(origin.thread_id)}"
        case ScopePolicy.TICKET:
            return origin.ticket_id and f"ticket:{kind}:{_part(origin.ticket_id)}"
        case ScopePolicy.EXPLICIT:
            return f"name:{_part(origin.name)}" if origin.name else f"explicit:{session_id}"


def origin_of(request: BaseRequest) -> Origin:
    """Return where a request comes from, by its own fields or by its metadata."""
    said: Mapping[str, Any] = {**request.metadata, **{name: value for name, value in request if value is not None}}
    return Origin(
        integration_type=request.integration_type,
        channel_id=_text(said.get("channel_id")),
        thread_id=_text(said.get("thread_id")) or _mail_thread(said),
        ticket_id=_text(said.get("ticket_id")),
        name=request.session_name,
    )


def _usual_scope(origin: Origin, usual: ScopePolicy) -> str:
    return origin.integration_type.value if usual is ScopePolicy.TYPE else "user"


def _mail_thread(said: Mapping[str, Any]) -> str | None:
    """Return the message with which a mail's thread began (RFC 5322 §3.6.4), as far as the mail tells."""
    references = (_text(said.get("email_references")) or "").split()
    if references:
        return references[0]
    return _text(said.get("email_in_reply_to")) or _text(said.get("email_message_id"))


def _text(value: object) -> str | None:
    return (str(value).strip() or None) if isinstance(value, str | int) else None


def _part(text: str) -> str:
    """Return a text that fits into a scope, and is as distinct."""
    return text if len(text) <= _PART_LIMIT else hashlib.sha256(text.encode()).hexdigest()


# Both take a relation `groups` (user_id, scope, wanted_session, new_session_id, integration_type, channel_id,
# thread_id, requests, last_request_id, lifetime) with one row for each user and scope, and yield `sessions` (user_id,
# scope, session_id, total_requests). Rows are touched in the order of user and scope, so that two
# statements cannot wait for each other. An expired session is ended first and never continued.
FIND_OR_OPEN: Final = """
    ended AS (
        UPDATE request_sessions SET status = 'EXPIRED', updated_at = now()
        WHERE session_id = ANY(ARRAY(
            SELECT e.session_id FROM groups g CROSS JOIN LATERAL (
                SELECT s.session_id, s.expires_at FROM request_sessions s
                WHERE s.user_id = g.user_id AND s.scope = g.scope AND s.status = 'ACTIVE' LIMIT 1
            ) e WHERE e.expires_at <= now()))
        RETURNING session_id
    ), sessions AS (
        INSERT INTO request_sessions (session_id, user_id, scope, integration_type, channel_id, thread_id,
            conversation_thread_id, total_requests, last_request_id, last_request_at, expires_at)
        SELECT new_session_id, user_id, scope, integration_type, channel_id, thread_id, new_session_id, requests,
            last_request_id, now(), now() + lifetime
        FROM groups WHERE (SELECT count(*) FROM ended) >= 0 ORDER BY user_id, scope
        ON CONFLICT (user_id, scope) WHERE status = 'ACTIVE' DO UPDATE SET
            total_requests = request_sessions.total_requests + EXCLUDED.total_requests,
            last_request_id = EXCLUDED.last_request_id, last_request_at = now(), updated_at = now(),
            expires_at = EXCLUDED.expires_at
        RETURNING user_id, scope, session_id, total_requests
    )
"""

# The short form for the usual case: $1 is a JSON array of user_id, scope, session_id of a new one, integration_type,
# channel_id, thread_id, requests and last_request_id, $2 the lifetime. An expired session yields no row; FIND_OR_OPEN
# ends it.
USE_OR_OPEN: Final = """
    sessions AS (
        INSERT INTO request_sessions (user_id, scope, session_id, integration_type, channel_id, thread_id,
            total_requests, last_request_id, conversation_thread_id, last_request_at, expires_at)
        SELECT g.*, g.session_id, now(), now() + $2::interval
        FROM json_to_recordset($1::json) AS g (user_id text, scope text, session_id text, integration_type text,
            channel_id text, thread_id text, requests integer, last_request_id text)
        ON CONFLICT (user_id, scope) WHERE status = 'ACTIVE' DO UPDATE SET
            total_requests = request_sessions.total_requests + EXCLUDED.total_requests,
            last_request_id = EXCLUDED.last_request_id, last_request_at = now(), updated_at = now(),
            expires_at = EXCLUDED.expires_at
        WHERE request_sessions.expires_at > now()
        RETURNING user_id, scope, session_id, total_requests
    )
"""

CONTINUE: Final = """
    ordered AS (
        SELECT s.session_id FROM request_sessions s JOIN groups g ON s.session_id = g.wanted_session
        WHERE s.session_id = ANY(ARRAY(SELECT wanted_session FROM groups))
            AND s.user_id = g.user_id AND s.status = 'ACTIVE' AND s.expires_at > now()
        ORDER BY s.session_id FOR UPDATE OF s
    ), sessions AS (
        UPDATE request_sessions s SET
            total_requests = s.total_requests + g.requests, last_request_id = g.last_request_id,
            last_request_at = now(), updated_at = now(), expires_at = now() + g.lifetime
        FROM groups g
        WHERE s.session_id = ANY(ARRAY(SELECT session_id FROM ordered)) AND g.wanted_session = s.session_id
            AND g.user_id = s.user_id
        RETURNING g.user_id, g.scope, s.session_id, s.total_requests
    )
"""
