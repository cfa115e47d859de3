"""Who calls an endpoint, and whether they may make something now: asked of the part that knows callers."""

from typing import Annotated, Protocol, TypeVar

from fastapi import Depends, Request
from starlette.types import Scope

from .users import Caller

CallerT_co = TypeVar("CallerT_co", bound=Caller, covariant=True)


class CallerOf(Protocol[CallerT_co]):
    """Set as `app.state.caller_of`. Returns the authenticated person who calls, or raises a problem."""

    async def __call__(self, request: Request) -> CallerT_co: ...


class AdmitCreation(Protocol):
    """Set as `app.state.admit_creation`, if there is a limit. Raises a problem if it is too soon for one more."""

    async def __call__(self, scope: Scope, caller: str) -> None: ...


async def caller_of(request: Request) -> Caller:
    known: CallerOf[Caller] = request.app.state.caller_of
    return await known(request)


CallerDependency = Annotated[Caller, Depends(caller_of)]


async def admitted_creation(request: Request, caller: CallerDependency) -> None:
    """Count something that a person makes, or raise the problem that says when they may again."""
    admit: AdmitCreation | None = getattr(request.app.state, "admit_creation", None)
    if admit is not None:
        await admit(request.scope, caller.user_id)
