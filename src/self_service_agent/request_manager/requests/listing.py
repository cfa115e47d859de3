"""Lists of requests over HTTP: everybody's own, and anybody's for operators and administrators."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import BaseModel, BeforeValidator, Field

from self_service_agent.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor, encode_cursor
from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.authentication.rules import Forbidden
from self_service_agent.shared_models.filters import End, Kinds, split
from self_service_agent.shared_models.requests import RequestStatus, ShortText, Text, UserId
from self_service_agent.shared_models.sessions import Moment
from self_service_agent.shared_models.users import find_user

from .dependencies import doors_of
from .schemas import RequestListed, RequestPage
from .searching import Place, Search, matching
from .viewing import CurrentViewer, Viewer

_MAX_OFFSET = 10_000
_NOBODY: Final = ""


Statuses = Annotated[list[RequestStatus], BeforeValidator(split)]


class Position(BaseModel):
    """The last request of a page, and the session whose order it is in, if the list is of one."""

    session_id: Text | None
    at: Moment
    number: int = Field(ge=0, le=2**63 - 1)


class Filters(BaseModel):
    """Which requests are wanted; moments without a zone are in UTC, and the end itself is left out."""

    session_id: Annotated[Text, Field(max_length=36)] | None = None
    start_date: Moment | None = None
    end_date: End | None = None
    user_id: UserId | None = None
    user_email: ShortText | None = None
    integration_type: Kinds = Field(default_factory=list)
    integration_types: Kinds = Field(default_factory=list)
    agent_id: ShortText | None = None
    status: Statuses = Field(default_factory=list)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    offset: int = Field(default=0, ge=0, le=_MAX_OFFSET)
    cursor: str | None = None

    @property
    def names(self) -> list[str]:
        return [name for name in (self.user_id, self.user_email) if name is not None]


async def get_requests(request: Request, viewer: CurrentViewer, filters: Annotated[Filters, Query()]) -> RequestPage:
    """Return requests, newest first; operators and administrators see everybody's, others their own.

    `next_cursor` leads on from here. A page may be short, or empty, and still have one.
    """
    whose = await _whose(request, viewer, filters)
    if whose == _NOBODY:
        return RequestPage(requests=[], next_cursor=None)
    search = Search(
        user_id=whose,
        session_id=filters.session_id,
        start=filters.start_date,
        end=filters.end_date,
        integration_types=filters.integration_type + filters.integration_types,
        agent_id=filters.agent_id,
        statuses=filters.status,
    )
    rows, more = await matching(
        doors_of(request).pool, search, behind=_place(filters), limit=filters.limit, offset=filters.offset
    )
    return RequestPage(
        requests=[RequestListed.model_validate(dict(row)) for row in rows],
        next_cursor=None if more is None else encode_cursor(_position(filters, more)),
    )


async def _whose(request: Request, viewer: Viewer, filters: Filters) -> str | None:
    """Return the id of the person whose requests are wanted and may be seen; None is everybody."""
    if not viewer.is_staff:
        if not all(viewer.user.is_named(name) for name in filters.names):
            raise Forbidden("these belong to somebody else")
        return viewer.user.user_id
    if not filters.names:
        return None
    found = [await find_user(doors_of(request).pool, name) for name in filters.names]
    meant = {_NOBODY if user is None else user.user_id for user in found}
    return meant.pop() if len(meant) == 1 else _NOBODY


def _position(filters: Filters, place: Place) -> Position:
    return Position(session_id=filters.session_id, at=place.at, number=place.number)


def _place(filters: Filters) -> Place | None:
    if filters.cursor is None:
        return None
    position = decode_cursor(filters.cursor, Position)
    if position.session_id != filters.session_id:
        raise Problem(HTTPStatus.BAD_REQUEST, "The cursor is not one that this list gave out.")
    return Place(at=position.at, number=position.number)
