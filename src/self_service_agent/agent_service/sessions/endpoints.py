"""Sessions over HTTP: their owners' own, and everybody's for operators and administrators."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any, Final

import asyncpg
from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse

from self_service_agent.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor, encode_cursor
from self_service_agent.kit.problems import Problem
from self_service_agent.shared_models.calling import CallerDependency, admitted_creation
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import ShortText, UserId
from self_service_agent.shared_models.sessions import Moment, Origin, SessionStatus
from self_service_agent.shared_models.users import Caller

from .dependencies import OwnSession, SessionsService
from .repository import LAST, Search
from .rules import IncompleteScope, NewSession, etag_of, versions_of
from .schemas import Position, SessionCreate, SessionPage, SessionRead, SessionResume, SessionUpdate, shown_session
from .service import (
    ScopeTaken,
    SessionArchived,
    SessionAtWork,
    SessionExpired,
    SessionNotFound,
    Sessions,
    VersionChanged,
)

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])

PROBLEMS: Final[Mapping[type[Exception], int]] = MappingProxyType(
    {
        SessionNotFound: HTTPStatus.NOT_FOUND,
        ScopeTaken: HTTPStatus.CONFLICT,
        SessionAtWork: HTTPStatus.CONFLICT,
        SessionArchived: HTTPStatus.CONFLICT,
        SessionExpired: HTTPStatus.GONE,
        VersionChanged: HTTPStatus.PRECONDITION_FAILED,
        IncompleteScope: HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class Filters:
    """What the query string says about the sessions that are looked for."""

    def __init__(  # noqa: PLR0913  # one for each filter
        self,
        *,
        user_id: Annotated[UserId | None, Query()] = None,
        status: SessionStatus | None = None,
        integration_type: IntegrationType | None = None,
        agent_id: Annotated[ShortText | None, Query()] = None,
        created_since: Moment | None = None,
        created_until: Moment | None = None,
        last_request_since: Moment | None = None,
        last_request_until: Moment | None = None,
    ) -> None:
        self.user_id = user_id
        self.search = Search(
            status=status,
            integration_type=integration_type,
            agent_id=agent_id,
            created_since=created_since,
            created_until=created_until,
            last_request_since=last_request_since,
            last_request_until=last_request_until,
        )


@router.get("")
async def read_sessions(
    filters: Annotated[Filters, Depends()],
    caller: CallerDependency,
    *,
    sessions: SessionsService,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> SessionPage:
    """Return sessions, newest first: the caller's own, or anybody's for operators and administrators."""
    before = LAST if cursor is None else decode_cursor(cursor, Position).before
    whose = await _whose(filters.user_id, caller, sessions)
    if whose is _NOBODY or "\x00" in before:
        return SessionPage(sessions=[], next_cursor=None)
    rows, following = await sessions.page(replace(filters.search, user_id=whose), before=before, limit=limit)
    return SessionPage(
        sessions=[shown_session(row) for row in rows],
        next_cursor=None if following is None else encode_cursor(Position(before=following)),
    )


@router.post("", status_code=HTTPStatus.CREATED, dependencies=[Depends(admitted_creation)])
async def open_session(
    body: SessionCreate, caller: CallerDependency, *, sessions: SessionsService, response: Response
) -> SessionRead:
    """Open a session before any request; requests go on in it by its scope, or by naming its id."""
    new = NewSession(
        origin=Origin(
            integration_type=body.integration_type,
            channel_id=body.channel_id,
            thread_id=body.thread_id,
            ticket_id=body.ticket_id,
            name=body.name,
        ),
        policy=body.scope,
        metadata=body.metadata,
        user_context=body.user_context,
    )
    opened = await sessions.open(await _owner(body.user_id, caller, sessions), new)
    response.headers["location"] = f"{router.prefix}/{opened['session_id']}"
    return _read(opened, response)


@router.get("/{session_id}")  # noqa: FAST003  # read by the dependency
async def read_session(session: OwnSession, response: Response) -> SessionRead:
    """Return one session; its ETag is what a change may be made conditional on."""
    return _read(session, response)


@router.patch("/{session_id}")  # noqa: FAST003  # read by the dependency
async def change_session(
    session: OwnSession,
    body: SessionUpdate,
    *,
    sessions: SessionsService,
    response: Response,
    if_match: Annotated[str | None, Header()] = None,
) -> SessionRead:
    """Replace the fields that the body names: 412 if `If-Match` names another version than the one there is."""
    changes: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    changed = await sessions.change(session["session_id"], changes, versions=versions_of(if_match))
    return _read(changed, response)


@router.delete("/{session_id}", status_code=HTTPStatus.NO_CONTENT)  # noqa: FAST003  # read by the dependency
async def delete_session(session: OwnSession, caller: CallerDependency, sessions: SessionsService) -> None:
    """Delete a session with all its requests and answers: 409 while one of them is still on its way."""
    await sessions.delete(session, caller=caller)


@router.post("/{session_id}/close")  # noqa: FAST003  # read by the dependency
async def close_session(session: OwnSession, sessions: SessionsService, response: Response) -> SessionRead:
    """End a session; the next request opens a new one."""
    return _read(await sessions.close(session["session_id"]), response)


@router.post("/{session_id}/resume")  # noqa: FAST003  # read by the dependency
async def resume_session(
    session: OwnSession, body: SessionResume, *, sessions: SessionsService, response: Response
) -> SessionRead:
    """Go on with the same conversation on another channel: 409 if one is active there, 410 if it has expired."""
    origin = Origin(
        integration_type=body.integration_type,
        channel_id=body.channel_id,
        thread_id=body.thread_id,
        ticket_id=session["external_session_id"],
        name=session["name"],
    )
    return _read(await sessions.resume(session, origin), response)


@router.get("/{session_id}/export")  # noqa: FAST003  # read by the dependency
async def export_session(session: OwnSession, caller: CallerDependency, sessions: SessionsService) -> StreamingResponse:
    """Return the whole conversation: every request with its answer, its tool calls and its deliveries."""
    name = f"session-{session['session_id']}.json"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(
        await sessions.export(session, caller=caller), media_type="application/json", headers=headers
    )


_NOBODY: Final = ""


async def _whose(named: str | None, caller: Caller, sessions: Sessions) -> str | None:
    """Return whose sessions are listed; None is everybody's. Others than staff find nobody but themselves."""
    if named is None:
        return None if caller.is_staff else caller.user_id
    person = await sessions.person(named)
    if person is None or not (caller.is_staff or person.user_id == caller.user_id):
        return _NOBODY
    return person.user_id


async def _owner(named: str | None, caller: Caller, sessions: Sessions) -> str:
    if named is None:
        return caller.user_id
    person = await sessions.person(named)
    if person is not None and person.user_id == caller.user_id:
        return caller.user_id
    if not caller.is_staff:
        raise Problem(HTTPStatus.FORBIDDEN, "user_id in the body is not the caller")
    if person is None:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "user_id in the body is nobody known here")
    return person.user_id


def _read(session: asyncpg.Record, response: Response) -> SessionRead:
    response.headers["etag"] = etag_of(session["version"])
    return shown_session(session)
