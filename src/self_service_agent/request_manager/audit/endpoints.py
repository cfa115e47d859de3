"""The audit log over HTTP, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, AwareDatetime

from self_service_agent.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor, encode_cursor
from self_service_agent.shared_models.audit.entries import Outcome
from self_service_agent.shared_models.requests import ShortText
from self_service_agent.shared_models.sessions import in_utc
from self_service_agent.shared_models.users import find_user

from .dependencies import LogPool, admin
from .repository import Search, matching
from .schemas import AuditPage, AuditRead, Position

AwareMoment = Annotated[AwareDatetime, AfterValidator(in_utc)]

router = APIRouter(prefix="/api/v1/audit", tags=["audit"], dependencies=[Depends(admin)])


@router.get("")
async def read_audit(  # noqa: PLR0913  # one parameter for each member of the query string
    pool: LogPool,
    *,
    actor: Annotated[ShortText | None, Query()] = None,
    action: Annotated[ShortText | None, Query()] = None,
    outcome: Outcome | None = None,
    since: AwareMoment | None = None,
    until: AwareMoment | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> AuditPage:
    """Return who did what, newest first. A person may be named by id, login or e-mail; `until` itself is left out."""
    person = None if actor is None else await find_user(pool, actor)
    search = Search(
        actor=actor if person is None else person.user_id, action=action, outcome=outcome, since=since, until=until
    )
    position = None if cursor is None else decode_cursor(cursor, Position)
    after = None if position is None else (position.at, position.id)
    rows = await matching(pool, search, after=after, limit=limit + 1)
    entries = [AuditRead.model_validate(dict(row)) for row in rows[:limit]]
    has_more = len(rows) > limit
    last = Position(at=entries[-1].at, id=entries[-1].id) if has_more else None
    return AuditPage(entries=entries, next_cursor=None if last is None else encode_cursor(last))
