"""What the session endpoints ask of the application: who calls, and the service."""

from typing import Annotated, Protocol

import asyncpg
from fastapi import Depends, Request

from self_service_agent.shared_models.users import Caller

from .service import SessionNotFound, Sessions


class CallerOf(Protocol):
    """Set as `app.state.caller_of`. Returns the authenticated person who calls, or raises a problem."""

    async def __call__(self, request: Request) -> Caller: ...


async def caller_of(request: Request) -> Caller:
    known: CallerOf = request.app.state.caller_of
    return await known(request)


async def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


CallerDependency = Annotated[Caller, Depends(caller_of)]
SessionsService = Annotated[Sessions, Depends(_sessions)]


async def _own_session(session_id: str, caller: CallerDependency, sessions: SessionsService) -> asyncpg.Record:
    """Return the session that the path names, to its owner and to staff; for others there is none."""
    row = await sessions.find(session_id)
    if row is None or not (row["user_id"] == caller.user_id or caller.is_staff):
        raise SessionNotFound
    return row


OwnSession = Annotated[asyncpg.Record, Depends(_own_session)]
