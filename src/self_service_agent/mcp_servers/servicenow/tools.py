"""The tools as MCP presents them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations

from . import laptops, tickets
from .callers import telling_kind
from .desk import Desk

Lifespan = Callable[[MCPServer[Desk]], AbstractAsyncContextManager[Desk]]

_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
_ADDS_ONCE = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
_READING: tuple[Callable[..., Any], ...] = (
    laptops.get_employee_laptop_info,
    laptops.find_laptop_refresh_ticket,
    tickets.get_my_profile,
    tickets.find_service_request,
    tickets.list_my_tickets,
    tickets.get_my_ticket,
    tickets.find_ticket_comment,
)
_WRITING: tuple[Callable[..., Any], ...] = (
    laptops.open_laptop_refresh_ticket,
    tickets.open_service_request,
    tickets.add_ticket_comment,
)


def create_server(lifespan: Lifespan) -> MCPServer[Desk]:
    """Return the server with its tools; `lifespan` opens the desk behind them."""
    server = MCPServer("servicenow", lifespan=lifespan, subscriptions=False)
    for tool in _READING:
        server.add_tool(telling_kind(tool), annotations=_READS)
    for tool in _WRITING:
        server.add_tool(telling_kind(tool), annotations=_ADDS_ONCE)
    return server
