"""Tools that are the real ones: over MCP to the tool server, and from there to the mock ServiceNow."""

from dataclasses import dataclass, field
from typing import Any

from self_service_agent.agent_service.flows import tools
from self_service_agent.connectors.mcp import protocol
from tests.mcp_servers.servicenow.house import ALICE, House


@dataclass
class ServiceNowTools:
    """Calls the tool server of a house for one person."""

    house: House
    subject: str = ALICE
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str) -> dict[str, Any]:
        self.calls.append((tool, arguments))
        try:
            return await self.house.call(tool, subject=self.subject, **arguments)
        except protocol.ToolUnavailable as error:
            raise tools.ToolUnavailable(str(error)) from error
        except protocol.ToolRefused as error:
            raise tools.ToolRefused(str(error)) from error
        except protocol.ToolInDoubt as error:
            raise tools.ToolInDoubt(str(error)) from error
