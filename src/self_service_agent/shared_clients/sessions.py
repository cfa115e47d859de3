"""The part of the client that is about sessions: see them, end them, go on elsewhere."""

from typing import Unpack
from urllib.parse import quote

from .connection import Connection
from .listing import Session, SessionFilters, SessionPage, params_of
from .protocol import read

_PATH = "/api/v1/sessions"


class Sessions:
    """The sessions of the caller, and of everybody for operators and administrators."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, **filters: Unpack[SessionFilters]) -> SessionPage:
        """Return one page of the sessions that the filters name."""
        return read(SessionPage, (await self._connection.get(_PATH, params=params_of(filters))).content)

    async def close(self, session_id: str) -> Session:
        """End a session; the next request opens a new one."""
        response = await self._connection.post_once(f"{_path(session_id)}/close")
        return read(Session, response.content)

    async def resume(
        self, session_id: str, integration_type: str, *, channel_id: str | None = None, thread_id: str | None = None
    ) -> Session:
        """Go on with a conversation there, or raise `Conflict` if another one is active there, `Gone` if it expired."""
        place = {"integration_type": integration_type, "channel_id": channel_id, "thread_id": thread_id}
        response = await self._connection.post_once(f"{_path(session_id)}/resume", json=place)
        return read(Session, response.content)


def _path(session_id: str) -> str:
    return f"{_PATH}/{quote(session_id, safe='')}"
