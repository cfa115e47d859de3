"""Reaching tools over MCP: the errors of the line, in the words of the flow engine."""

from datetime import timedelta
from typing import Any

from self_service_agent.agent_service.flows import tools
from self_service_agent.connectors.mcp import protocol
from self_service_agent.connectors.mcp.client import ToolServer


class McpTools:
    """The tools of one MCP server."""

    def __init__(self, server: ToolServer) -> None:
        self._server = server

    async def call(
        self,
        tool: str,
        arguments: dict[str, Any],
        *,
        subject: str,
        timeout: timedelta,  # noqa: ASYNC109  # travels on
    ) -> dict[str, Any]:
        """Return the tool's answer, or raise one of the engine's `ToolError`s."""
        try:
            return await self._server.call(tool, arguments, subject=subject, timeout=timeout)
        except protocol.ToolUnavailable as error:
            raise tools.ToolUnavailable(str(error)) from error
        except protocol.ToolRefused as error:
            raise tools.ToolRefused(str(error)) from error
        except protocol.ToolInDoubt as error:
            raise tools.ToolInDoubt(str(error)) from error
