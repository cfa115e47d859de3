"""The whole road of a tool call: client, tool server and mock ServiceNow, on loopback."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from self_service_agent.connectors.mcp.client import ToolServer
from self_service_agent.doubles.servicenow.app import create_app as create_mock
from self_service_agent.doubles.servicenow.employees import MockEmployee
from self_service_agent.doubles.servicenow.faults import Faults
from self_service_agent.doubles.servicenow.journal import Journal
from self_service_agent.doubles.servicenow.orders import OrderBook
from self_service_agent.doubles.servicenow.settings import MockServiceNowSettings
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.mcp_servers.servicenow.app import create_app
from self_service_agent.mcp_servers.servicenow.settings import ToolServerSettings
from tests.doubles_servicenow.serving import serving

SECRET = SecretStr("a secret for tests, long enough for HS256")
TOKENS = ServiceTokens(SECRET)
LOOPBACK = EgressPolicy(allow_loopback=True)
ALICE = "alice.johnson@company.com"
BRIAN = "brian.cole@company.com"


@dataclass(frozen=True, kw_only=True)
class House:
    url: str
    tools: ToolServer
    book: OrderBook
    journal: Journal
    faults: Faults

    async def call(self, tool: str, *, subject: str = ALICE, **arguments: Any) -> dict[str, Any]:
        return await self.tools.call(tool, arguments, subject=subject, timeout=timedelta(seconds=5))

    async def open_ticket(self, *, subject: str = ALICE, **changes: str) -> dict[str, Any]:
        arguments = {
            "employee_name": "Alice Johnson",
            "business_justification": "It is old",
            "servicenow_laptop_code": "latitude-7450",
            "idempotency_key": "k1",
            **changes,
        }
        return await self.call("open_laptop_refresh_ticket", subject=subject, **arguments)


def settings_for(instance_url: str) -> ToolServerSettings:
    return ToolServerSettings(
        service_token_secret=SECRET,
        servicenow_instance_url=instance_url,
        egress_allow_loopback=True,
    )


@asynccontextmanager
async def a_house(*, people: tuple[MockEmployee, ...] | None = None) -> AsyncIterator[House]:
    faults = Faults()
    mock = create_mock(MockServiceNowSettings(), faults=faults)
    if people is not None:
        mock.state.mock = replace(mock.state.mock, people=people)
    async with AsyncExitStack() as stack:
        instance = await stack.enter_async_context(serving(mock))
        url = await stack.enter_async_context(serving(create_app(settings_for(instance)))) + "/mcp"
        tools = await stack.enter_async_context(ToolServer.open(url, TOKENS, policy=LOOPBACK))
        yield House(url=url, tools=tools, book=mock.state.mock.book, journal=mock.state.mock.journal, faults=faults)
