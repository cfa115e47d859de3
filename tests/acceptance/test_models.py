"""With a model that fails in every way there is, each person gets answers, and each ticket is opened once."""

import json
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from self_service_agent.agent_service.app import conversations
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.doubles.openai.app import create_app as create_model
from self_service_agent.doubles.openai.script import Fault, Script
from self_service_agent.doubles.servicenow.app import create_app as create_servicenow
from self_service_agent.doubles.servicenow.settings import MockServiceNowSettings
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.mcp_servers.servicenow.app import create_app as create_tools
from self_service_agent.mcp_servers.servicenow.settings import ToolServerSettings
from tests.acceptance.house import eventually
from tests.agent_service.models.serving import model_settings
from tests.doubles_servicenow.serving import serving
from tests.faults.peers import an_employee

SECRET = SecretStr("a-secret-of-at-least-thirty-two-bytes")
START = json.dumps({"command": "start_flow", "flow": "laptop-refresh-agent/laptop_refresh"})
ANSWERS = {"new laptop": START, "I wonder": '{"command": "cannot_handle"}'}
WISH, DOUBT = "I need a new laptop", "I wonder whether that is right"
USAGE = "SELECT tokens, input_tokens + output_tokens AS used, calls, estimated_calls FROM model_usage_of_sessions"


@pytest.fixture
async def around(houses):
    """Yield what opens a house with a scripted model, and the ServiceNow behind its tools."""
    async with AsyncExitStack() as stack:
        servicenow = create_servicenow(MockServiceNowSettings())
        people = tuple(
            an_employee(n).model_copy(update={"email": f"person-{n}@company.com"}) for n in range(len(Fault) + 1)
        )
        servicenow.state.mock = replace(servicenow.state.mock, people=people)
        instance = await stack.enter_async_context(serving(servicenow))
        tools = create_tools(
            ToolServerSettings(
                service_token_secret=SECRET, servicenow_instance_url=instance, egress_allow_loopback=True
            )
        )
        tool_server = await stack.enter_async_context(serving(tools))

        async def opened(script, **changes):
            url = await stack.enter_async_context(serving(create_model(script)))
            opening = conversations(
                AgentServiceSettings(mcp_servicenow_url=f"{tool_server}/mcp"),
                ServiceTokens(SECRET),
                policy=EgressPolicy(allow_loopback=True),
                models=model_settings(url, **changes),
            )
            house = await houses(conversations=opening)
            await eventually(lambda: probed(house))
            return house

        yield opened, servicenow.state.mock.book


async def probed(house):
    return (await house.client.get("/health/detailed")).json()["model"]["capabilities"]


async def admits(house):
    return (await house.client.get("/health/detailed")).json()["model"]["breaker"] != "open"


async def test_whatever_the_model_does_each_person_gets_one_ticket_and_honest_answers(around):
    opened, book = around
    script = Script(answers=ANSWERS, silence=timedelta(seconds=30), retry_after="0.1")
    house = await opened(script, llm_idle_seconds=0.2, llm_breaker_failures=100, llm_breaker_seconds=0.1)
    told = {}

    for number, fault in enumerate(Fault):
        script.always = fault
        await eventually(lambda: admits(house))
        answers = [await house.ask(said, user=f"person-{number}") for said in (WISH, "2", DOUBT, "yes")]
        assert [answer.status_code for answer in answers] == [200] * 4, fault
        told[fault] = [answer.json()["response"] for answer in answers]

    orders = Counter(order.requested_for for order in book.orders)
    assert sorted(orders.values()) == [1] * len(Fault)
    for fault, (begun, chosen, doubted, done) in told.items():
        assert begun["metadata"]["step"] == "pick", fault
        assert chosen["metadata"]["expects"] == doubted["metadata"]["expects"] == "confirmation", fault
        assert "REQ" in done["content"], fault
        engine = "llm" if fault is Fault.NO_USAGE else "rules"
        assert (begun["metadata"]["engine"], "degraded" in begun["metadata"]) == (engine, engine == "rules"), fault
        assert begun["metadata"]["usage"].get("estimated", False) == (
            fault in {Fault.NO_USAGE, Fault.CUT, Fault.SILENCE, Fault.HUGE}
        ), fault
    assert all(row["tokens"] == row["used"] for row in await house.rows(USAGE))


async def test_the_health_says_who_understands_and_what_the_provider_can_do(around):
    opened, _ = around
    house = await opened(Script(answers=ANSWERS))

    health = (await house.client.get("/health/detailed")).json()

    capabilities = health["model"].pop("capabilities")
    capabilities.pop("seen_at")
    assert health["understanding"] == {"engine": "llm", "wording": "templates"}
    assert (health["model"]["model"], health["model"]["api"], health["model"]["breaker"]) == (
        "scripted-1", "chat", "closed",
    )  # fmt: skip
    assert capabilities == {
        "models": 1, "lists_model": True, "api": "chat", "streams": True, "counts_tokens": True,
        "honours_schema": True, "calls_tools": True, "problem": None,
    }  # fmt: skip


async def test_a_session_that_has_used_its_tokens_is_answered_by_rules(around):
    opened, _ = around
    script = Script(answers=ANSWERS)
    house = await opened(script, llm_session_tokens=2500)

    answers = [(await house.ask(text)).json()["response"]["metadata"] for text in (DOUBT, DOUBT, DOUBT)]

    engines = [answer["engine"] for answer in answers]
    assert engines == sorted(engines)
    assert set(engines) == {"llm", "rules"}
    assert answers[-1]["degraded"] == "the session's tokens are used up, or the session is gone"
    (row,) = await house.rows(USAGE)
    assert row["tokens"] == row["used"] <= 2500
