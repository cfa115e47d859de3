"""A house in which the shipped agents answer, with tools that do as they are told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from self_service_agent.agent_service.app import OpenTaker
from self_service_agent.agent_service.approvals.rules import ApprovalPolicy
from self_service_agent.agent_service.definitions.loader import Definitions
from self_service_agent.agent_service.turns.definitions import DefinitionStore
from self_service_agent.agent_service.turns.progress import Progress
from self_service_agent.agent_service.turns.taker import ConversationTaker
from self_service_agent.agent_service.turns.worker import TurnTaker
from self_service_agent.eventing.platform import Platform
from tests.acceptance.house import House, eventually
from tests.agent_service.flows.conversation import LOOK_UP, ORDER, a_laptop, an_employee, an_engine, shipped

ASKING = ("I need a new laptop", "yes", "The screen is cracked and cannot be repaired")
BOSS, OTHER_BOSS = "john.doe", "person-1"
GROUPS = {"it_management": (f"{BOSS}@company.com", OTHER_BOSS, "alice.johnson")}
_FOLLOW_UPS = """
    SELECT l.request_id, l.status, l.response_content AS content, l.response_metadata ->> 'step' AS step
    FROM request_logs l WHERE l.request_type <> 'message' ORDER BY l.sequence
"""


@dataclass
class Tools:
    """Looks up somebody whose laptop is too young, and counts what is ordered."""

    orders: list[dict[str, Any]] = field(default_factory=list)

    async def check(self, tool: str, arguments: dict[str, Any], *, within: timedelta) -> None:
        """Find nothing wrong with any call."""

    async def call(
        self, tool: str, arguments: dict[str, Any], *, subject: str, timeout: timedelta  # noqa: ASYNC109  # the real one has it
    ) -> dict[str, Any]:  # fmt: skip
        if tool == LOOK_UP:
            return an_employee(a_laptop(purchase_date="2026-06-01"))
        if tool == ORDER:
            self.orders.append(arguments)
            return {"request_number": "REQ0001234", "state": "submitted"}
        return {}


def answering(
    tools: Tools, *, definitions: Definitions | None = None, lifetime: timedelta = timedelta(hours=1)
) -> OpenTaker:
    """Return what opens the real taker with these tools."""
    chosen = definitions or shipped()

    @asynccontextmanager
    async def opened(platform: Platform) -> AsyncIterator[TurnTaker]:
        store = DefinitionStore(platform.pools.durable)
        await store.remember(chosen)
        yield ConversationTaker(
            platform.pools.durable,
            an_engine(chosen),
            tools,
            definitions=chosen,
            store=store,
            progress=Progress(platform.notifier),
            approvals=ApprovalPolicy(groups=GROUPS, lifetime=lifetime),
        )

    return opened


def choices(tools: Tools, **more: Any) -> dict[str, Any]:
    """Return how a house differs in which approvals are decided."""
    return {"conversations": answering(tools, **more), "agent_service": {"approver_groups": GROUPS}}


async def hear(house: House, *messages: str, user: str = "alice.johnson") -> dict[str, Any]:
    """Say several things and return the last answer."""
    for message in messages:
        answer = await house.ask(message, user=user)
        assert answer.status_code == 200, answer.text
    return answer.json()["response"]


async def ask_for_exception(house: House, *, user: str = "alice.johnson") -> dict[str, Any]:
    """Bring a conversation to where it waits, and return the approval as somebody entitled sees it."""
    answer = await hear(house, *ASKING, user=user)
    assert answer["metadata"]["expects"] == "approval", answer
    (approval,) = await to_decide(house)
    return approval


async def to_decide(house: House, *, user: str = BOSS) -> list[dict[str, Any]]:
    answer = await house.get("/api/v1/approvals", user=user)
    assert answer.status_code == 200, answer.text
    return answer.json()["approvals"]


async def decide(house: House, approval_id: str, *, granted: bool, user: str = BOSS, comment: str | None = None) -> Any:
    """Decide and return the answer of the door."""
    return await house.client.post(
        f"/api/v1/approvals/{approval_id}/decision",
        json={"granted": granted, "comment": comment},
        headers={"authorization": f"Bearer {user}"},
    )


async def followed_up(house: House, count: int = 1) -> Sequence[dict[str, Any]]:
    """Return the follow-ups of the database once so many are answered."""

    async def answered() -> Sequence[dict[str, Any]]:
        rows = await house.rows(_FOLLOW_UPS)
        return rows if sum(row["status"] == "completed" for row in rows) >= count else ()

    return await eventually(answered)


def opening(taker: TurnTaker) -> OpenTaker:
    @asynccontextmanager
    async def opened(_platform: Platform) -> AsyncIterator[TurnTaker]:
        yield taker

    return opened


OpenedHouse = AbstractAsyncContextManager[House]
