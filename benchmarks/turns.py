"""Turns of the laptop conversation with the rules understander: CPU time of the engine, tools answering at once."""

import statistics
import time
from datetime import UTC, datetime
from typing import Any

from self_service_agent.agent_service.app import shipped_agents
from self_service_agent.agent_service.definitions.loader import load_definitions
from self_service_agent.agent_service.flows.engine import Engine
from self_service_agent.agent_service.flows.turns import TurnInput
from self_service_agent.agent_service.understanding.rules import RulesUnderstander

from .report import row, title

_SAID = ("hi, I need a new laptop", "what is the policy?", "2", "no, make it the first one", "yes", "thank you")


class Tools:
    """Answers at once."""

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str) -> dict[str, Any]:
        if tool == "open_laptop_refresh_ticket":
            return {"request_number": "REQ0010001", "duplicate": False}
        laptop = {
            "model": "Latitude 7420",
            "serial_number": "S1",
            "asset_tag": "DL7420001",
            "laptop_class": "standard",
            "purchase_date": "2020-01-01",
        }
        return {"employee_name": "Alice Johnson", "email": "a@b.c", "region": "NA", "laptops": [laptop]}


async def run(*, scale: float) -> None:
    engine = Engine(load_definitions(shipped_agents()), RulesUnderstander())
    spent: dict[str, list[float]] = {said: [] for said in _SAID}
    for round_number in range(int(200 * scale) + 5):
        checkpoint: dict[str, Any] | None = None
        for said in _SAID:
            started = time.process_time()
            outcome = await engine.take_turn(_turn(said, round_number, checkpoint), Tools())
            spent[said].append((time.process_time() - started) * 1000)
            checkpoint = outcome.checkpoint
    title("CPU ms p50", "p95", "message")
    for said, figures in spent.items():
        ranked = sorted(figures[5:])
        row(f"{statistics.median(ranked):.2f}", f"{ranked[int(len(ranked) * 0.95)]:.2f}", f"  {said}")


def _turn(said: str, round_number: int, checkpoint: dict[str, Any] | None) -> TurnInput:
    return TurnInput(
        request_id=f"r-{round_number}-{said}",
        session_id=f"s-{round_number}",
        user_id="u",
        user_email="a@b.c",
        user_login="alice",
        content=said,
        integration_type="WEB",
        target_agent_id=None,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        checkpoint=checkpoint,
    )
