"""Agents as models, asked by OpenAI's own client."""

import asyncio
import json

import openai
import pytest
from openai import AsyncOpenAI

from tests.acceptance.house import as_person, eventually

PUBLISH = """
    INSERT INTO agent_definitions (digest, agent_id, version, body, created_at, published_at)
    VALUES ($1, $2, '1', $3, '2026-01-02T03:04:05Z', CASE WHEN $4 THEN now() END)
"""
MODEL = "agentic-general"
CREATED = 1767323045
SERVICE_KEY = "your-tool-api-key"
USERS = "SELECT u.login FROM request_logs l JOIN users u USING (user_id) ORDER BY l.id"
SESSIONS = "SELECT session_id FROM request_logs ORDER BY id"


async def publish(house, agent_id, *, published=True):
    body = json.dumps({"name": agent_id.title(), "summary": f"Is {agent_id}."})
    await house.platform.pools.durable.execute(PUBLISH, agent_id, agent_id, body, published)


@pytest.fixture
async def house(houses):
    house = await houses()
    await publish(house, MODEL)
    return house


@pytest.fixture
async def client(house):
    """Return OpenAI's client, which asks as Alice and does not try again by itself."""
    async with client_of(house) as client:
        yield client


def client_of(house, *, key="alice.johnson", **more):
    return AsyncOpenAI(base_url=f"{house.url}/v1", api_key=key, max_retries=0, timeout=20, **more)


async def say(client, *said, model=MODEL, **more):
    """Ask in a chat whose words alternate between user and assistant, and return the answer."""
    roles = ["user", "assistant"] * len(said)
    messages = [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]
    return await client.chat.completions.create(model=model, messages=messages, **more)


async def test_published_agents_are_models(house, client):
    await publish(house, "agentic-research")
    await publish(house, "withdrawn", published=False)

    models = (await client.models.list()).data

    assert [(model.id, model.object, model.created, model.owned_by) for model in models] == [
        (MODEL, "model", CREATED, "self-service-agent"),
        ("agentic-research", "model", CREATED, "self-service-agent"),
    ]
    assert models[0].model_extra == {"name": "Agentic-General", "description": "Is agentic-general."}
    assert (await client.models.retrieve(MODEL)).id == MODEL
    with pytest.raises(openai.NotFoundError) as error:
        await client.models.retrieve("withdrawn")
    assert error.value.code == "model_not_found"


async def test_a_chat_completion_is_a_request_like_any_other(house, client):
    answer = await say(client, "hello")

    [row] = await house.rows(
        "SELECT request_id, request_type, integration_type, status, normalized_request ->> 'target_agent_id' AS agent"
        " FROM request_logs"
    )
    assert answer.choices[0].message.content == "echo: hello"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.model, answer.object) == (MODEL, "chat.completion")
    assert answer.id == f"chatcmpl-{row.pop('request_id')}"
    assert answer.usage.model_dump(include={"prompt_tokens", "completion_tokens", "total_tokens"}) == {
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "total_tokens": 0,
    }
    assert row == {"request_type": "chat", "integration_type": "WEB", "status": "completed", "agent": MODEL}


async def test_a_chat_completion_comes_in_chunks(client):
    stream = await say(client, "one two three", stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]

    texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(texts) == "echo: one two three"
    assert len([text for text in texts if text]) == 4
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], 0)
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_response_comes_whole_and_as_events(client):
    whole = await client.responses.create(model=MODEL, input="hello")
    stream = await client.responses.create(model=MODEL, input=[{"role": "user", "content": "one two"}], stream=True)
    events = [event async for event in stream]

    assert (whole.output_text, whole.status, whole.usage.total_tokens) == ("echo: hello", "completed", 0)
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "echo: one two"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == "echo: one two"


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        pytest.param({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools", id="tools"),
        pytest.param({"n": 2}, "n", id="several answers"),
        pytest.param({"logprobs": True}, "logprobs", id="probabilities"),
        pytest.param({"modalities": ["text", "audio"]}, "modalities", id="audio"),
        pytest.param({"response_format": {"type": "json_object"}}, "response_format", id="a format"),
    ],
)
async def test_what_is_not_supported_is_said(house, client, wish, param):
    with pytest.raises(openai.BadRequestError) as error:
        await say(client, "hello", **wish)

    assert (error.value.param, error.value.code) == (param, "unsupported_parameter")
    assert await house.value("SELECT count(*) FROM request_logs") == 0


async def test_sampling_parameters_are_ignored(client):
    answer = await say(client, "hello", temperature=0.1, top_p=0.5, seed=1, n=1, max_tokens=5, stop=["x"])

    assert answer.choices[0].message.content == "echo: hello"


async def test_a_picture_is_refused(client):
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}

    with pytest.raises(openai.BadRequestError, match="image_url is not understood"):
        await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": [picture]}])


async def test_errors_are_those_of_the_client(house, client):
    async with client_of(house, key="nobody") as stranger:
        with pytest.raises(openai.AuthenticationError) as unknown:
            await stranger.models.list()
        with pytest.raises(openai.AuthenticationError):
            await say(stranger, "hello")
    with pytest.raises(openai.NotFoundError) as no_model:
        await say(client, "hello", model="no-such-model")
    with pytest.raises(openai.UnprocessableEntityError) as wrong_form:
        await client.post("/chat/completions", body={"model": MODEL, "messages": "hello"}, cast_to=object)
    with pytest.raises(openai.APIStatusError) as too_large:
        await say(client, "x" * 1_100_000)
    with pytest.raises(openai.UnprocessableEntityError):
        await say(client, "x" * 70_000)
    with pytest.raises(openai.NotFoundError):
        await client.get("/no-such-page", cast_to=object)

    assert (unknown.value.type, unknown.value.code) == ("authentication_error", "invalid_api_key")
    assert (no_model.value.param, no_model.value.code) == ("model", "model_not_found")
    assert wrong_form.value.param == "messages"
    assert (too_large.value.status_code, too_large.value.code) == (413, "request_too_large")
    assert await house.value("SELECT count(*) FROM request_logs") == 0


async def test_only_the_last_message_is_taken_and_the_conversation_goes_on(house, client):
    first = await say(client, "hello")
    await say(client, "hello", first.choices[0].message.content, "and then")
    await say(client, "hello")

    sessions = [row["session_id"] for row in await house.rows(SESSIONS)]
    assert house.taker.taken == ["hello", "and then", "hello"]
    assert sessions[0] == sessions[1] != sessions[2]


@pytest.mark.parametrize(
    "named",
    [
        pytest.param({"extra_headers": {"X-OpenWebUI-Chat-Id": "chat-1"}}, id="by the header"),
        pytest.param({"metadata": {"chat_id": "chat-1"}}, id="by the metadata"),
    ],
)
async def test_a_chat_that_has_a_name_is_one_session_of_its_person(house, client, named):
    await say(client, "hello", **named)
    await say(client, "something else", **named)
    async with client_of(house, key="john.doe") as john:
        await say(john, "hello", **named)

    sessions = [row["session_id"] for row in await house.rows(SESSIONS)]
    assert sessions[0] == sessions[1] != sessions[2]


async def test_each_chat_and_each_model_in_it_has_a_session_of_its_own(house, client):
    await publish(house, "agentic-research")

    for chat, model in (("one", MODEL), ("two", MODEL), ("one", "agentic-research")):
        await say(client, "hello", model=model, metadata={"chat_id": chat})
    await house.ask("hello")

    assert len({row["session_id"] for row in await house.rows(SESSIONS)}) == 4


async def test_a_response_continues_the_one_before_or_its_conversation(house, client):
    first = await client.responses.create(model=MODEL, input="one")
    await client.responses.create(model=MODEL, input="two", previous_response_id=first.id)
    await client.responses.create(model=MODEL, input="three", conversation="c")
    await client.responses.create(model=MODEL, input="four", conversation={"id": "c"})
    async with client_of(house, key="john.doe") as john:
        with pytest.raises(openai.BadRequestError) as not_his:
            await john.responses.create(model=MODEL, input="two", previous_response_id=first.id)

    sessions = [row["session_id"] for row in await house.rows(SESSIONS)]
    assert sessions[0] == sessions[1] != sessions[2] == sessions[3]
    assert not_his.value.code == "previous_response_not_found"


async def test_the_same_key_again_has_one_effect(house, client):
    key = {"extra_headers": {"Idempotency-Key": "k-1"}}

    answers = [await say(client, "hello", **key) for _ in range(2)]

    assert answers[0].id == answers[1].id
    assert house.taker.taken == ["hello"]


async def test_another_attempt_of_the_client_has_one_effect(house):
    gate = house.taker.hold("hello")
    async with client_of(house).with_options(max_retries=2, timeout=1) as client:
        asking = asyncio.ensure_future(say(client, "hello"))
        await house.taker.begun["hello"].wait()
        await eventually(lambda: house.value("SELECT count(*) = 1 FROM request_logs WHERE reply_to IS NULL"))
        gate.set()
        answer = await asking

    assert answer.choices[0].message.content == "echo: hello"
    assert house.taker.taken == ["hello"]


@pytest.mark.parametrize("stream", [False, True])
async def test_nobody_waits_for_a_client_that_has_gone(house, client, stream):
    gate = house.taker.hold("hello")
    asking = asyncio.ensure_future(_read(client, stream=stream))
    await house.taker.begun["hello"].wait()
    asking.cancel()

    gone = "SELECT count(*) = 1 FROM request_logs WHERE reply_to IS NULL AND status = 'pending'"
    assert await eventually(lambda: house.value(gone), within=2)
    assert house.app.state.request_manager.followers._queues == {}  # noqa: SLF001  # nothing outside shows that somebody waits
    gate.set()


async def _read(client, *, stream):
    answer = await say(client, "hello", stream=stream)
    return [chunk async for chunk in answer] if stream else answer


async def test_an_answer_that_takes_too_long_can_be_waited_for_again(houses):
    house = await houses(request_manager={"agent_timeout": 0.2})
    await publish(house, MODEL)
    gate = house.taker.hold("hello")
    key = {"extra_headers": {"Idempotency-Key": "k-1"}}
    async with client_of(house) as client:
        with pytest.raises(openai.InternalServerError) as late:
            await say(client, "hello", **key)
        with pytest.raises(openai.APIError, match="still at it"):
            [chunk async for chunk in await say(client, "hello", stream=True, **key)]
        gate.set()
        answer = await say(client, "hello", **key)

    assert (late.value.status_code, late.value.code) == (503, "still_working")
    assert late.value.response.headers["retry-after"] == "1"
    assert answer.choices[0].message.content == "echo: hello"


async def test_a_failed_check_is_no_problem_document_but_elsewhere_it_is(house):
    here = await house.client.get("/v1/models")
    there = await house.client.get("/api/v1/requests", headers=as_person("nobody"))

    assert (here.status_code, here.headers["content-type"]) == (401, "application/json")
    assert here.headers["www-authenticate"] == "Bearer"
    assert set(here.json()) == {"error"}
    assert there.headers["content-type"] == "application/problem+json"
