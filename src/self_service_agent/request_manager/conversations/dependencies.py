"""What the conversation endpoint asks of the application: who calls, and the database."""

from typing import Annotated, Protocol

from fastapi import Depends, Request

from self_service_agent.kit.database import Pool
from self_service_agent.shared_models.users import Caller


class CallerOf(Protocol):
    """Set as `app.state.caller_of`. Returns the authenticated person who calls, or raises a problem."""

    async def __call__(self, request: Request) -> Caller: ...


async def _caller_of(request: Request) -> Caller:
    known: CallerOf = request.app.state.caller_of
    return await known(request)


async def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.conversations_pool
    return pool


CallerDependency = Annotated[Caller, Depends(_caller_of)]
ConversationsPool = Annotated[Pool, Depends(_pool)]
