"""What the endpoints ask of the application: who calls, and the service."""

from typing import Annotated

from fastapi import Depends, Request

from self_service_agent.shared_models.calling import CallerDependency

from .rules import Decider
from .service import Approvals


async def _approvals(request: Request) -> Approvals:
    approvals: Approvals = request.app.state.approvals
    return approvals


ApprovalsService = Annotated[Approvals, Depends(_approvals)]


async def _decider(caller: CallerDependency, approvals: ApprovalsService) -> Decider:
    return await approvals.known_decider(caller.user_id, caller.roles)


CallingDecider = Annotated[Decider, Depends(_decider)]
