"""Tool servers made with the official SDK, foreign to us: over HTTP and as a command."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations

from self_service_agent.connectors.mcp.process import Command
from tests.doubles_servicenow.serving import serving

READS = ToolAnnotations(read_only_hint=True)


def a_shop(*, description: str = "Return how many there are.") -> MCPServer[Any]:
    """Return a server with a tool of each sort."""
    server: MCPServer[Any] = MCPServer("shop")

    async def stock(article: str) -> dict[str, int]:
        return {"count": len(article)}

    async def remark() -> str:
        return "a text"

    async def order(article: str, key: str) -> dict[str, str]:
        return {"number": f"{article}-{key}"}

    async def fail() -> dict[str, str]:
        raise RuntimeError("out of paper")

    async def environment() -> dict[str, str]:
        return dict(os.environ)

    async def process() -> dict[str, int]:
        return {"pid": os.getpid()}

    async def pause() -> dict[str, str]:
        await asyncio.sleep(0.2)  # so that others come meanwhile
        return {}

    server.add_tool(pause)
    server.add_tool(environment)
    server.add_tool(process)
    server.add_tool(stock, description=description, annotations=READS)
    server.add_tool(remark, structured_output=False)
    server.add_tool(order)
    server.add_tool(fail)
    return server


@asynccontextmanager
async def served(server: MCPServer[Any], **options: Any) -> AsyncIterator[str]:
    """Yield the URL of a server over streamable HTTP."""
    app = server.streamable_http_app(**options)
    async with server.session_manager.run(), serving(app, lifespan="off") as url:
        yield f"{url}/mcp"


def a_command(*arguments: str, **environment: str) -> Command:
    """Return what runs the shop as a child process."""
    return Command(
        name="shop",
        command=sys.executable,
        arguments=("-m", "tests.agent_service.tools.servers", *arguments),
        environment=environment,
    )


if __name__ == "__main__":
    a_shop().run("stdio")
