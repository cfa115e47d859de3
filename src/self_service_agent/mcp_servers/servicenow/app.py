"""The ServiceNow tool server as an ASGI app: MCP at /mcp behind the credential gate, and /health."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from self_service_agent.connectors.servicenow.client import ServiceNow
from self_service_agent.kit import clock
from self_service_agent.kit.http.client import Client

from .desk import Desk
from .gate import CredentialGate
from .settings import ToolServerSettings
from .tools import create_server

_PATIENCE = timedelta(seconds=15)


def create_app(settings: ToolServerSettings) -> Starlette:
    """Return the app; its lifespan, which runs once, opens the connection to ServiceNow."""

    @asynccontextmanager
    async def open_desk(_: MCPServer[Desk]) -> AsyncIterator[Desk]:
        async with Client.open(policy=settings.egress, timeout=_PATIENCE, user_agent="self-service-agent") as http:
            yield Desk(ServiceNow.configured(http, settings))

    server = create_server(open_desk)
    face = server.streamable_http_app(
        json_response=True,
        stateless_http=True,
        # Host names are checked against rebinding by web pages, which have no credential for the gate.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    routes = [Route("/health", read_health), Mount("/", CredentialGate(face, settings.tokens))]
    return Starlette(routes=routes, lifespan=lambda _: server.session_manager.run())


async def read_health(_: Request) -> JSONResponse:
    """Tell that the server runs."""
    return JSONResponse(
        {
            "status": "healthy",
            "service": "mcp-servicenow",
            "version": version("self-service-agent"),
            "timestamp": clock.now().isoformat(),
        }
    )
