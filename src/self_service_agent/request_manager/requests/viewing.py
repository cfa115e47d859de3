"""Who looks at requests: everybody at their own, operators and administrators at everybody's."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

import asyncpg
from fastapi import Depends, Request

from self_service_agent.kit.problems import Problem
from self_service_agent.shared_models.users import Role, User

from . import repository
from .dependencies import doors_of

_STAFF = frozenset({Role.OPERATOR, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The person who asks."""

    user: User
    is_staff: bool

    def require(self, row: asyncpg.Record | None) -> asyncpg.Record:
        """Return the row of a request that this person may see; a foreign request looks like none at all."""
        if row is None or not (self.is_staff or row["user_id"] == self.user.user_id):
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such request")
        return row


async def _viewer(request: Request) -> Viewer:
    authentication = doors_of(request).authentication
    principal = await authentication.person(request)
    user = await authentication.user(principal)
    return Viewer(user=user, is_staff=not _STAFF.isdisjoint(principal.roles))


CurrentViewer = Annotated[Viewer, Depends(_viewer)]


async def _visible(request: Request, request_id: str, viewer: CurrentViewer) -> asyncpg.Record:
    found = None if "\x00" in request_id else await repository.find(doors_of(request).pool, request_id)
    return viewer.require(found)


Visible = Annotated[asyncpg.Record, Depends(_visible)]
