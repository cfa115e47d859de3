"""What every tool needs: the desk, the person who asks, and errors that a program can read."""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, TextContent
from starlette.requests import Request

from self_service_agent.connectors.servicenow.values import OutcomeUnknown, ServiceNowError, Unavailable

from . import rules
from .desk import Desk
from .gate import identity_in
from .schemas import Failure, FailureKind

P = ParamSpec("P")
T = TypeVar("T")
DeskContext = Context[Desk, Request]


def desk_of(context: DeskContext) -> Desk:
    """Return the help desk behind the tools."""
    return context.request_context.lifespan_context


def person_of(context: DeskContext) -> str:
    """Return the e-mail address of the person whom the credential names, or raise `NoPerson`."""
    request = context.request_context.request
    if request is None:
        raise rules.NoPerson("the call did not come through the gate")
    return rules.person_behind(identity_in(request.scope))


def telling_kind(tool: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T | CallToolResult]]:
    """Turn what ServiceNow refuses or cannot do into an error result that a program can read."""

    @functools.wraps(tool)
    async def telling(*args: P.args, **kwargs: P.kwargs) -> T | CallToolResult:
        try:
            return await tool(*args, **kwargs)
        except ServiceNowError as error:
            return _failed(Failure(kind=_kind(error), message=str(error)))

    return telling


def _failed(failure: Failure) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=f"{failure.kind}: {failure.message}")],
        structured_content=failure.model_dump(mode="json"),
        is_error=True,
    )


def _kind(error: ServiceNowError) -> FailureKind:
    match error:
        case Unavailable():
            return FailureKind.UNAVAILABLE
        case OutcomeUnknown():
            return FailureKind.IN_DOUBT
        case _:
            return FailureKind.REFUSED
