"""What the endpoints ask of the application: who calls, and the service."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from self_service_agent.agent_service.sessions.dependencies import CallerDependency
from self_service_agent.kit.problems import Problem

from .rules import Decider
from .service import Approvals


async def _approvals(request: Request) -> Approvals:
    approvals: Approvals = request.app.state.approvals
    return approvals


ApprovalsService = Annotated[Approvals, Depends(_approvals)]


async def _decider(caller: CallerDependency, approvals: ApprovalsService) -> Decider:
    who = await approvals.decider(caller.user_id, caller.roles)
    if who is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "the person who calls is not known any more")
    return who


CallingDecider = Annotated[Decider, Depends(_decider)]
