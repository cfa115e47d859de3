"""What the endpoints about agents ask of the application."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from self_service_agent.kit.problems import Problem

from .roster import Roster
from .watching import Reloading


async def _roster(request: Request) -> Roster:
    roster: Roster | None = request.app.state.roster
    if roster is None:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "no agents answer in this process")
    return roster


async def _reloading(request: Request) -> Reloading:
    await _roster(request)
    reloading: Reloading = request.app.state.reloading
    return reloading


RosterOfAgents = Annotated[Roster, Depends(_roster)]
ReloadingOfAgents = Annotated[Reloading, Depends(_reloading)]
