"""What is told while an agent works: which tool it uses, in words, and nothing of what it knows."""

import json

import pytest

from self_service_agent.agent_service.flows.tools import ToolUnavailable
from tests.acceptance.agents import opening
from tests.acceptance.house import as_person
from tests.agent_service.flows.conversation import LOOK_UP, ScriptedTools

WISH = "I need a new laptop"
MODEL = "agentic-general"


async def told(house, path, body, **headers):
    """Return the (event, data) pairs of the stream that answers a POST."""
    events, kind = [], "message"
    headers = as_person("alice.johnson") | {"accept": "text/event-stream"} | headers
    async with house.client.stream("POST", path, json=body, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            kind = value if name == "event" else kind if line else "message"
            if name == "data" and value != "[DONE]":
                events.append((kind, json.loads(value)))
    return events


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        pytest.param([], "finished", id="it works"),
        pytest.param([ToolUnavailable("down")], "failed", id="it does not"),
    ],
)
async def test_a_stream_tells_which_tool_is_at_work(houses, answer, state):
    house = await houses(conversations=opening(ScriptedTools(script={LOOK_UP: answer})))

    events = await told(house, "/api/v1/requests/web", {"user_id": "alice.johnson", "content": WISH})

    tools = [data for kind, data in events if kind == "tool"]
    known = {"tool": LOOK_UP, "label": "Get employee laptop info"}
    assert tools == [known | {"state": "started"}, known | {"state": state}]
    assert [kind for kind, _ in events][-1] == "final"


async def test_open_webui_is_told_what_is_done_and_others_are_not(houses):
    house = await houses(conversations=opening())
    body = {"model": MODEL, "messages": [{"role": "user", "content": WISH}], "stream": True}

    shown = await told(house, "/v1/chat/completions", body, **{"x-openwebui-chat-id": "c-1"})
    plain = await told(house, "/v1/chat/completions", body)

    assert [chunk["event"] for _, chunk in shown if "event" in chunk] == [
        {"type": "status", "data": {"description": "Get employee laptop info", "done": done}} for done in (False, True)
    ]
    assert not any("event" in chunk for _, chunk in plain)
    assert all(chunk["choices"] for _, chunk in plain)


async def test_an_answer_says_what_it_quotes_and_who_gave_it(houses):
    house = await houses(conversations=opening())
    body = {"model": MODEL, "messages": [{"role": "user", "content": "What is the laptop refresh policy?"}]}

    answer = await house.client.post("/v1/chat/completions", json=body, headers=as_person("alice.johnson"))
    response = await house.client.post(
        "/v1/responses", json={"model": MODEL, "input": body["messages"]}, headers=as_person("alice.johnson")
    )

    message = answer.json()["choices"][0]["message"]
    [annotation] = message["annotations"]
    citation = annotation["url_citation"]
    quoted = message["content"][citation["start_index"] : citation["end_index"]]
    envelope = answer.json()["self_service_agent"]
    assert (annotation["type"], envelope["definition"]["id"], envelope["engine"]) == ("url_citation", MODEL, "rules")
    assert quoted == envelope["citations"][0]["text"]
    assert citation["url"].startswith("urn:document:")
    [same] = response.json()["output"][0]["content"][0]["annotations"]
    assert same == {"type": "url_citation", **citation}
