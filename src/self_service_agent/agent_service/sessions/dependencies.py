"""What the session endpoints ask of the application: who calls, and the service."""

from typing import Annotated

import asyncpg
from fastapi import Depends, Request

from self_service_agent.shared_models.calling import CallerDependency

from .service import SessionNotFound, Sessions


async def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


SessionsService = Annotated[Sessions, Depends(_sessions)]


async def _own_session(session_id: str, caller: CallerDependency, sessions: SessionsService) -> asyncpg.Record:
    """Return the session that the path names, to its owner and to staff; for others there is none."""
    row = await sessions.find(session_id)
    if row is None or not (row["user_id"] == caller.user_id or caller.is_staff):
        raise SessionNotFound
    return row


OwnSession = Annotated[asyncpg.Record, Depends(_own_session)]
