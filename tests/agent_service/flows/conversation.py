"""A person talking to the shipped agents, with tools that do as they are told."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from self_service_agent.agent_service.definitions.loader import Definitions, load_definitions
from self_service_agent.agent_service.definitions.models import AgentDefinition
from self_service_agent.agent_service.flows.engine import Engine
from self_service_agent.agent_service.flows.turns import ApprovalDecision, TurnInput, TurnOutcome
from self_service_agent.agent_service.understanding.rules import RulesUnderstander

AGENTS = Path(__file__).parents[3] / "agents"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LOOK_UP = "get_employee_laptop_info"
ORDER = "open_laptop_refresh_ticket"


def shipped() -> Definitions:
    return load_definitions(AGENTS)


def an_engine(definitions: Definitions | None = None) -> Engine:
    return Engine(definitions or shipped(), RulesUnderstander())


def a_laptop(**changes: Any) -> dict[str, Any]:
    return {
        "model": "Latitude 7420",
        "serial_number": "SN-7420-1",
        "asset_tag": "DL7420001",
        "purchase_date": "2022-03-14",
        "laptop_class": "standard",
        **changes,
    }


def an_employee(*laptops: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "employee_name": "Alice Johnson",
        "email": "alice.johnson@example.com",
        "region": "EMEA",
        "laptops": list(laptops) or [a_laptop()],
        **changes,
    }


def a_turn(content: str, **changes: Any) -> TurnInput:
    given = {
        "request_id": "request-1",
        "session_id": "session-1",
        "user_id": "user-1",
        "user_email": "alice.johnson@example.com",
        "user_login": "alice.johnson",
        "integration_type": "WEB",
        "target_agent_id": None,
        "now": NOW,
        "checkpoint": None,
    }
    return TurnInput(content=content, **{**given, **changes})


@dataclass
class ScriptedTools:
    """Answers each call with the next thing in its script, or else with the usual answer; remembers every call."""

    employee: dict[str, Any] = field(default_factory=an_employee)
    script: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str) -> dict[str, Any]:
        self.calls.append((tool, arguments, key))
        scripted = self.script.get(tool)
        answer = scripted.pop(0) if scripted else self._usual(tool, arguments)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _usual(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if tool == "get_my_ticket":
            return {**arguments, "title": "Laptop refresh", "state": "Open", "opened_on": "2026-11-20", "comments": []}
        return self.employee if tool == LOOK_UP else {"request_number": "REQ0001234", "state": "submitted"}

    def keys(self, tool: str) -> list[str]:
        return [key for name, _, key in self.calls if name == tool]

    @property
    def orders(self) -> list[str]:
        return [arguments["servicenow_laptop_code"] for name, arguments, _ in self.calls if name == ORDER]


@dataclass
class Conversation:
    """One session: every outcome's checkpoint goes through JSON text before the next turn."""

    tools: ScriptedTools = field(default_factory=ScriptedTools)
    engine: Engine = field(default_factory=an_engine)
    now: datetime = NOW
    stored: str | None = None
    turns: int = 0
    pinned: AgentDefinition | None = None

    async def say(self, content: str, **changes: Any) -> TurnOutcome:
        self.turns += 1
        checkpoint = json.loads(self.stored) if self.stored else None
        given = {
            "request_id": f"request-{self.turns}",
            "now": self.now,
            "checkpoint": checkpoint,
            "pinned": self.pinned,
        }
        outcome = await self.engine.take_turn(a_turn(content, **{**given, **changes}), self.tools)
        self.stored = json.dumps(outcome.checkpoint)
        return outcome

    async def hear(self, *messages: str) -> TurnOutcome:
        """Say several things; return the last outcome."""
        for message in messages:
            outcome = await self.say(message)
        return outcome

    async def decide(self, approval_id: str, *, granted: bool) -> TurnOutcome:
        return await self.say(
            "", approval=ApprovalDecision(approval_id=approval_id, outcome="granted" if granted else "denied")
        )


def where(outcome: TurnOutcome) -> tuple[str | None, str]:
    """Return the step an outcome stands at, and what it expects."""
    return outcome.envelope["step"], outcome.envelope["expects"]
