"""Conversations over HTTP: everybody's own, and all of them for operators and administrators."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from self_service_agent.kit.database import Pool
from self_service_agent.kit.paging import MAX_OFFSET
from self_service_agent.kit.problems import Problem
from self_service_agent.shared_models.calling import CallerDependency
from self_service_agent.shared_models.filters import End, Kinds
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import ShortText, UserId
from self_service_agent.shared_models.sessions import Moment
from self_service_agent.shared_models.users import Caller, find_user

from . import repository
from .dependencies import ConversationsPool
from .repository import Found, Search
from .rules import id_bound
from .schemas import Conversations
from .service import written

router = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])

_MOST: Final = 1_000
_MOST_MESSAGES: Final = 500
_NOTHING: Final = Found(sessions=(), total=0, complete=True)


class Filters:
    """What the query string says about the conversations that are looked for."""

    def __init__(  # noqa: PLR0913  # one for each filter
        self,
        *,
        session_id: Annotated[ShortText | None, Query()] = None,
        start_date: Moment | None = None,
        end_date: End | None = None,
        user_id: Annotated[UserId | None, Query()] = None,
        user_email: Annotated[UserId | None, Query()] = None,
        integration_type: IntegrationType | None = None,
        integration_types: Annotated[Kinds, Query()] = [],  # noqa: B006  # FastAPI copies it
        agent_id: Annotated[ShortText | None, Query()] = None,
    ) -> None:
        self.session_id = session_id
        self.start_date, self.end_date = start_date, end_date
        self.user_id, self.user_email = user_id, user_email
        kinds = [*integration_types, *([integration_type] if integration_type else ())]
        self.integration_types = kinds or None
        self.agent_id = agent_id

    @property
    def said(self) -> dict[str, Any]:
        """The filters that were given."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much of what was found is wanted: how many conversations, and messages of each."""

    limit: int
    offset: int
    messages: int


async def _amount(
    *,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    include_messages: bool = True,
    message_limit: Annotated[int, Query(ge=1, le=_MOST_MESSAGES)] = 50,
) -> Amount:
    return Amount(limit=limit, offset=offset, messages=message_limit if include_messages else 0)


@router.get("", response_model=Conversations)
async def read_conversations(
    filters: Annotated[Filters, Depends()],
    caller: CallerDependency,
    *,
    amount: Annotated[Amount, Depends(_amount)],
    pool: ConversationsPool,
) -> StreamingResponse:
    """Return conversations newest first, each with its newest messages.

    A conversation is within the dates if it began before `end_date` and went on after `start_date`.
    """
    search = await _search(filters, caller, pool)
    found = (
        _NOTHING if search is None else await repository.find(pool, search, limit=amount.limit, offset=amount.offset)
    )
    about = {
        "count": len(found.sessions),
        "total": found.total,
        "complete": found.complete,
        "limit": amount.limit,
        "offset": amount.offset,
        "filters": filters.said,
    }
    pieces = written(pool, found, messages=amount.messages, about=about)
    return StreamingResponse(pieces, media_type="application/json")


async def _search(filters: Filters, caller: Caller, pool: Pool) -> Search | None:
    """Return what the caller may look for; None if nothing of it is theirs."""
    user_ids = set() if caller.is_staff else {caller.user_id}
    for name in filter(None, (filters.user_id, filters.user_email)):
        person = await find_user(pool, name)
        if not caller.is_staff and (person is None or person.user_id != caller.user_id):
            raise Problem(HTTPStatus.FORBIDDEN, "these belong to somebody else")
        if person is None:
            return None
        user_ids.add(person.user_id)
    if len(user_ids) > 1:
        return None
    return Search(
        before=id_bound(filters.end_date),
        user_id=next(iter(user_ids), None),
        session_id=filters.session_id,
        start=filters.start_date,
        end=filters.end_date,
        integration_types=filters.integration_types,
        agent_id=filters.agent_id,
    )
