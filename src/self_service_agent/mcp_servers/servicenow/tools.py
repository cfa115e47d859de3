"""The tools as MCP presents them; the person is always the one whom the credential names."""

import functools
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import ParamSpec, TypeVar

from mcp.server.mcpserver import Context, MCPServer
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from starlette.requests import Request

from self_service_agent.connectors.servicenow.values import OutcomeUnknown, ServiceNowError, Unavailable

from . import rules
from .desk import Desk
from .gate import identity_in
from .schemas import (
    EmployeeName,
    Failure,
    FailureKind,
    FoundTicket,
    IdempotencyKey,
    Justification,
    LaptopCode,
    LaptopInfo,
    OpenedTicket,
    laptop_info,
)

P = ParamSpec("P")
T = TypeVar("T")
DeskContext = Context[Desk, Request]
Lifespan = Callable[[MCPServer[Desk]], AbstractAsyncContextManager[Desk]]

_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
_ADDS_ONCE = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True)


def create_server(lifespan: Lifespan) -> MCPServer[Desk]:
    """Return the server with its three tools; `lifespan` opens the desk behind them."""
    server = MCPServer("servicenow", lifespan=lifespan, subscriptions=False)
    server.add_tool(_telling_kind(get_employee_laptop_info), annotations=_READS)
    server.add_tool(_telling_kind(open_laptop_refresh_ticket), annotations=_ADDS_ONCE)
    server.add_tool(_telling_kind(find_laptop_refresh_ticket), annotations=_READS)
    return server


async def get_employee_laptop_info(context: DeskContext) -> LaptopInfo:
    """Return the requester's name, region and laptops, with purchase date and class of each."""
    employee, laptops = await _desk(context).laptops_of(_person(context))
    return laptop_info(employee, laptops)


async def open_laptop_refresh_ticket(
    employee_name: EmployeeName,
    business_justification: Justification,
    servicenow_laptop_code: LaptopCode,
    *,
    idempotency_key: IdempotencyKey,
    context: DeskContext,
) -> OpenedTicket:
    """Order a new laptop for the requester, once per idempotency key."""
    order, duplicate = await _desk(context).open_ticket(
        _person(context),
        employee_name=employee_name,
        justification=business_justification,
        code=servicenow_laptop_code,
        key=idempotency_key,
    )
    return OpenedTicket(request_number=order.number, duplicate=duplicate)


async def find_laptop_refresh_ticket(idempotency_key: IdempotencyKey, context: DeskContext) -> FoundTicket:
    """Return the requester's ticket that was opened with this key, if there is one."""
    order = await _desk(context).ticket_with(idempotency_key, email=_person(context))
    return FoundTicket(request_number=order.number if order else None)


def _desk(context: DeskContext) -> Desk:
    return context.request_context.lifespan_context


def _person(context: DeskContext) -> str:
    request = context.request_context.request
    if request is None:
        raise rules.NoPerson("the call did not come through the gate")
    return rules.person_behind(identity_in(request.scope))


def _telling_kind(tool: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T | CallToolResult]]:
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
