"""Records as tests need them: valid, and different only in what a test names."""

from datetime import UTC, date, datetime
from typing import Any

from self_service_agent.agent_service.app import shipped_agents
from self_service_agent.doubles.servicenow.employees import MockEmployee
from self_service_agent.doubles.servicenow.orders import MockOrder
from self_service_agent.evaluation.judges import Ground
from self_service_agent.evaluation.knowledge import AgentFiles
from self_service_agent.evaluation.people import people_for
from self_service_agent.evaluation.records import Exchange, Record
from self_service_agent.evaluation.scenarios import Scenario

TODAY = date(2026, 11, 21)
ORDER = {"laptop_choices": "na-std-14"}


def a_scenario(**fields: Any) -> Scenario:
    known = {"id": "a/b", "area": "a", "opens": "laptop_refresh", "flow": "laptop_refresh"}
    return Scenario.model_validate({**known, "agent": "laptop-refresh-agent", **fields})


def a_person(scenario: Scenario | None = None) -> MockEmployee:
    scenario = scenario or a_scenario()
    return people_for([scenario])[scenario.id]


def an_exchange(answer: str | None = "Hello.", *, act: str = "tell", said: str = "hi", **fields: Any) -> Exchange:
    known = {"door": "web", "key": "k", "metadata": {}, "milliseconds": 10.0, "request_id": "r"}
    return Exchange(**{**known, "act": act, "said": said, "answer": answer, **fields})


def a_summary(text: str = "ThinkPad T14 (na-std-14) for you") -> Exchange:
    pending = {"action": "open_laptop_refresh_ticket", "summary": text}
    return an_exchange(text, metadata={"pending_confirmation": pending, "expects": "confirmation"})


def an_order(*, code: str = "na-std-14", person: MockEmployee | None = None, key: str = "key-1") -> MockOrder:
    variables = {
        "laptop_choices": code,
        "who_is_this_request_for": (person or a_person()).sys_id,
        "correlation_id": key,
    }
    return MockOrder(
        sys_id="1" * 32,
        number="REQ0010001",
        item_number="RITM0010001",
        item_id="laptop-refresh",
        quantity=1,
        variables=variables,
        opened_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def a_record(*exchanges: Exchange, scenario: Scenario | None = None, **fields: Any) -> Record:
    scenario = scenario or a_scenario()
    known: dict[str, Any] = {"orders": (), "tool_calls": ()}
    return Record(scenario=scenario, person=a_person(scenario), exchanges=exchanges, **{**known, **fields})


def the_ground(**written: str) -> Ground:
    return Ground(files=AgentFiles(shipped_agents()), today=TODAY, written=written)
