"""How requests are found, newest first, at a cost that does not grow with how many there are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from self_service_agent.kit.database import Pool
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import RequestStatus

# So many requests are looked through for one page. A person's, a session's and those of a time are found by index; what
# else is asked for is sifted, so that a page may come out short: the next one begins where this one stopped looking.
WINDOW: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which requests are looked for; None and nothing do not matter."""

    user_id: str | None = None
    session_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    integration_types: Sequence[IntegrationType] = ()
    agent_id: str | None = None
    statuses: Sequence[RequestStatus] = ()

    @property
    def is_sifting(self) -> bool:
        """Whether requests are looked at that may not be meant."""
        has_days = bool(self.start or self.end)
        return bool(self.integration_types or self.agent_id or self.statuses or (self.session_id and has_days))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Behind which request a page begins: its time and number, or its number in its session."""

    at: datetime
    number: int


_DATES = """
    created_at >= coalesce(:start, '-infinity'::timestamptz) AND created_at < coalesce(:end, 'infinity'::timestamptz)
"""
_BEHIND = """
    (created_at, id) < (coalesce(:at, 'infinity'::timestamptz), coalesce(:number, 9223372036854775807::bigint))
"""

# The condition on request_id is always true. It is the index's own, so that no other query can take it for theirs.
_ALL = """
    SELECT *, id AS number FROM request_logs WHERE request_id <> '' AND {dates} AND {behind}
    ORDER BY created_at DESC, id DESC LIMIT {size}
"""
_OF_USER = """
    SELECT *, id AS number FROM request_logs WHERE user_id = :user_id AND {dates} AND {behind}
    ORDER BY created_at DESC, id DESC LIMIT {size}
"""
_OF_SESSION = """
    SELECT *, sequence AS number FROM request_logs
    WHERE session_id = :session_id AND sequence < coalesce(:number, 9223372036854775807::bigint)
    ORDER BY sequence DESC LIMIT {size}
"""

_EFFECTIVE = "CASE WHEN f.status = 'pending' AND t.started_at IS NOT NULL THEN 'processing' ELSE f.status END"
_PAGE = """
    SELECT f.request_id, f.session_id, f.user_id, f.integration_type, f.request_type, f.request_content AS content,
        f.agent_id, f.response_content, f.processing_time_ms, f.created_at, f.completed_at, f.number, t.started_at,
        {effective} AS status
    FROM (
        SELECT * FROM ({window}) w
        WHERE ({its_owners}) AND (:kinds::text[] IS NULL OR integration_type = ANY(:kinds))
            AND (:agent_id::text IS NULL OR agent_id = :agent_id)
            AND (:start::timestamptz IS NULL OR created_at >= :start)
            AND (:end::timestamptz IS NULL OR created_at < :end)
        ORDER BY {order} OFFSET 0
    ) f LEFT JOIN LATERAL (SELECT started_at FROM turns WHERE request_id = f.request_id LIMIT 1) t ON true
    WHERE :statuses::text[] IS NULL OR {effective} = ANY(:statuses)
    ORDER BY {order} OFFSET :offset LIMIT :limit
"""
_EDGE = """
    SELECT created_at, number FROM (SELECT * FROM ({window}) w OFFSET {last} LIMIT 1) w WHERE {its_owners}
"""
_ITS_OWNERS = ":user_id::text IS NULL OR user_id = :user_id"
_NAME = re.compile(r"(?<!:):(\w+)")


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str
    names: tuple[str, ...]

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        return [values[name] for name in self.names]


def _statement(named: str) -> _Statement:
    """Return a statement whose parameters are numbered; PostgreSQL wants every number to occur."""
    names = tuple(dict.fromkeys(_NAME.findall(named)))
    return _Statement(_NAME.sub(lambda found: f"${names.index(found[1]) + 1}", named), names)


@dataclass(frozen=True, slots=True)
class _Window:
    """The requests that are looked through for a page: `page` are those that are meant, `edge` is the last one."""

    page: _Statement
    edge: _Statement


def _window(template: str, *, order: str) -> _Window:
    rows = template.format(dates=_DATES, behind=_BEHIND, size=WINDOW)
    return _Window(
        page=_statement(_PAGE.format(window=rows, effective=_EFFECTIVE, its_owners=_ITS_OWNERS, order=order)),
        edge=_statement(_EDGE.format(window=rows, last=WINDOW - 1, its_owners=_ITS_OWNERS)),
    )


_BY_TIME, _BY_SEQUENCE = "created_at DESC, number DESC", "number DESC"
EVERYBODYS = _window(_ALL, order=_BY_TIME)
ONES_OWN = _window(_OF_USER, order=_BY_TIME)
SESSIONS = _window(_OF_SESSION, order=_BY_SEQUENCE)


async def matching(
    pool: Pool, search: Search, *, behind: Place | None, limit: int, offset: int
) -> tuple[list[asyncpg.Record], Place | None]:
    """Return up to `limit` requests, newest first, and the place behind which there may be more."""
    window = _window_of(search)
    values = _values(search, behind) | {"limit": limit + 1, "offset": offset}
    rows = await pool.fetch(window.page.text, *window.page.arguments(values))
    if len(rows) > limit:
        return rows[:limit], _place(rows[limit - 1])
    if not search.is_sifting:
        return rows, None
    last = await pool.fetchrow(window.edge.text, *window.edge.arguments(values))
    return rows, None if last is None else _place(last)


def _window_of(search: Search) -> _Window:
    if search.session_id is not None:
        return SESSIONS
    return EVERYBODYS if search.user_id is None else ONES_OWN


def _values(search: Search, behind: Place | None) -> dict[str, Any]:
    return {
        "user_id": search.user_id,
        "session_id": search.session_id,
        "start": search.start,
        "end": search.end,
        "kinds": list(search.integration_types) or None,
        "agent_id": search.agent_id,
        "statuses": list(search.statuses) or None,
        "at": behind and behind.at,
        "number": behind and behind.number,
    }


def _place(row: asyncpg.Record) -> Place:
    return Place(at=row["created_at"], number=row["number"])
