"""What a collector and the metrics are told of agents, and what they are not."""

import json

import pytest
from prometheus_client import REGISTRY

from self_service_agent.agent_service.telemetry import ModelPrice, Telemetry
from self_service_agent.kit import tracing

SECRET = "My number is 0170 1234567, write to alice@company.com"


@pytest.fixture
def spans():
    """Return the spans that end during the test."""
    ended = []
    with tracing.recording(ended.append):
        yield ended


def sample(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def take_turn(telemetry, *, agent, model="small"):
    with telemetry.invoke_agent("listener", session_id="s-1") as turn:
        with telemetry.execute_tool("order_laptop", call_id="key-1"):
            pass
        with telemetry.retrieval("policies", query=SECRET):
            pass
        with telemetry.chat(model, messages=[("user", SECRET)]) as call:
            call.answered(model="small-1", input_tokens=1000, output_tokens=500, finish_reasons=["stop"], text=SECRET)
        turn.answered(agent, version="1.0")


def test_a_turn_is_told_in_the_words_of_the_convention(spans):
    take_turn(Telemetry(), agent="words-agent")

    told = {span.name: (span.kind, dict(span.attributes)) for span in spans}
    assert told == {
        "execute_tool order_laptop": (
            "internal",
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "order_laptop",
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.id": "key-1",
            },
        ),
        "retrieval policies": (
            "client",
            {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "policies"},
        ),
        "chat small": (
            "client",
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "small",
                "gen_ai.response.model": "small-1",
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 500,
                "gen_ai.response.finish_reasons": ("stop",),
            },
        ),
        "invoke_agent listener": (
            "internal",
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.id": "words-agent",
                "gen_ai.agent.version": "1.0",
                "gen_ai.conversation.id": "s-1",
            },
        ),
    }
    assert len({span.traceparent[3:35] for span in spans}) == 1


def test_what_is_said_is_told_only_if_that_is_wanted_and_then_masked(spans):
    take_turn(Telemetry(captures_content=True), agent="content-agent")

    told = {span.name: span.attributes for span in spans}
    said = json.loads(told["chat small"]["gen_ai.input.messages"])
    text = "My number is [phone 1], write to [email 1]"
    assert said == [{"role": "user", "parts": [{"type": "text", "content": text}]}]
    assert json.loads(told["chat small"]["gen_ai.output.messages"])[0]["parts"][0]["content"] == text
    assert told["retrieval policies"]["gen_ai.retrieval.query.text"] == text


def test_tokens_cost_and_time_are_counted_for_the_agent_whose_turn_it_is():
    take_turn(Telemetry(prices={"small": ModelPrice(input=2, output=4)}), agent="counted-agent")

    assert sample("ssa_agent_turns_total", agent="counted-agent", outcome="completed") == 1
    labels = {"agent": "listener", "model": "small"}
    assert sample("ssa_model_tokens_total", **labels, direction="input") >= 1000
    assert sample("ssa_model_tokens_total", **labels, direction="output") >= 500
    assert sample("ssa_model_cost_total", **labels) == pytest.approx(0.004)
    assert sample("ssa_model_seconds_count", **labels, outcome="completed") >= 1


def test_a_model_without_a_price_costs_nothing_that_is_known():
    take_turn(Telemetry(), agent="listener", model="priceless")

    assert sample("ssa_model_cost_total", agent="listener", model="priceless") == 0


def test_what_goes_wrong_is_told_by_its_kind_alone(spans):
    telemetry = Telemetry()

    with (
        pytest.raises(ConnectionError),
        telemetry.invoke_agent("unlucky", session_id="s"),
        telemetry.chat("broken"),
    ):
        raise ConnectionError(SECRET)

    assert [(span.name, span.failed, span.attributes["error.type"]) for span in spans] == [
        ("chat broken", True, "ConnectionError"),
        ("invoke_agent unlucky", True, "ConnectionError"),
    ]
    assert SECRET not in str(spans)
    assert sample("ssa_agent_turns_total", agent="unlucky", outcome="tried_again") == 1
    assert sample("ssa_model_seconds_count", agent="unlucky", model="broken", outcome="failed") == 1
