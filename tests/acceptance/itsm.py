"""A house in which the shipped agents answer, over the real tool server and the mock ServiceNow."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from self_service_agent.agent_service.app import conversations
from self_service_agent.agent_service.models.settings import ModelSettings
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.doubles.servicenow.employees import MockEmployee
from tests.acceptance.house import House, as_person
from tests.mcp_servers.servicenow.house import LOOPBACK, TOKENS, a_house
from tests.mcp_servers.servicenow.house import House as ToolHouse

AGENTS = Path(__file__).parents[2] / "agents"


@dataclass(frozen=True, kw_only=True)
class Office:
    """The house, and what stands behind its tools."""

    house: House
    itsm: ToolHouse

    async def hear(self, *messages: str, user: str = "alice.johnson") -> dict[str, Any]:
        """Say several things and return the last answer."""
        for message in messages:
            answer = await self.house.ask(message, user=user)
            assert answer.status_code == 200, answer.text
        response: dict[str, Any] = answer.json()["response"]
        return response

    async def decide(self, *, user: str, granted: bool) -> None:
        """Decide the one approval that waits for this person."""
        headers = as_person(user)
        listed = await self.house.client.get("/api/v1/approvals", headers=headers)
        [approval] = listed.json()["approvals"]
        path = f"/api/v1/approvals/{approval['approval_id']}/decision"
        decided = await self.house.client.post(path, json={"granted": granted}, headers=headers)
        assert decided.status_code == 200, decided.text

    @property
    def ordered(self) -> list[tuple[str, dict[str, Any]]]:
        """What ServiceNow was asked for: the item, and its own variables."""
        ours = {"correlation_id", "business_justification"}
        return [
            (order.item_id, {name: value for name, value in order.variables.items() if name not in ours})
            for order in self.itsm.book.orders
        ]


@asynccontextmanager
async def an_office(
    houses: Callable[..., Awaitable[House]],
    folder: Path = AGENTS,
    *,
    models: ModelSettings | None = None,
    people: tuple[MockEmployee, ...] | None = None,
    **more: Any,
) -> AsyncIterator[Office]:
    """Yield an office whose agents are those of `folder`."""
    async with a_house(people=people) as itsm:
        chosen = {"agents_folder": folder, **more}
        settings = AgentServiceSettings(mcp_servicenow_url=itsm.url, **chosen)
        talking = conversations(settings, TOKENS, policy=LOOPBACK, models=models)
        yield Office(house=await houses(conversations=talking, agent_service=chosen), itsm=itsm)
