"""Open WebUI as it really asks: for its users by a signed header, and for itself by prompts of its own."""

import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from pydantic import SecretStr

from self_service_agent.kit import clock
from tests.acceptance.house import TOOL_KEY, as_person
from tests.acceptance.test_openai import MODEL, publish

SECRET = "the secret that both sides of this know"
SIGNED, PLAIN = "x-openwebui-user-jwt", "x-openwebui-user-email"
PEOPLE = "SELECT u.primary_email FROM request_logs l JOIN users u USING (user_id)"
TITLE = """### Task:
Generate a concise, 3-5 word title with an emoji summarizing the chat history.
### Output:
JSON format: { "title": "your concise title here" }
### Chat History:
<chat_history>
USER: My laptop is slow, can I get a new one please?
ASSISTANT: Certainly.
</chat_history>"""


@pytest.fixture
async def house(houses):
    house = await houses(request_manager={"openwebui_jwt_secret": SecretStr(SECRET)})
    await publish(house, MODEL)
    return house


def signed(*, secret=SECRET, algorithm="HS256", lives=timedelta(minutes=5), **claims):
    now = clock.now()
    usual = {
        "sub": "8f0c", "email": "Alice.Johnson@company.com", "name": "Alice", "role": "admin", "iss": "open-webui",
        "iat": int(now.timestamp()), "exp": int((now + lives).timestamp()),
    }  # fmt: skip
    held = {name: value for name, value in (usual | claims).items() if value is not None}
    return jwt.encode({"alg": algorithm}, held, OctKey.import_key(secret), [algorithm])


async def ask(house, content="hello", *, key=TOOL_KEY, **headers):
    body = {"model": MODEL, "messages": [{"role": "user", "content": content}]}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await house.client.post("/v1/chat/completions", json=body, headers=as_person(key) | named)


async def people(house):
    return [row["primary_email"] for row in await house.rows(PEOPLE)]


async def test_a_turn_belongs_to_the_person_of_the_signed_header(house):
    answer = await ask(house, x_openwebui_user_jwt=signed(), x_openwebui_user_email="mallory@company.com")

    assert answer.status_code == 200
    assert await people(house) == ["alice.johnson@company.com"]


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(secret="another secret of thirty-two bytes"), id="of another secret"),
        pytest.param(signed(algorithm="HS512"), id="signed in another way"),
        pytest.param(signed(lives=timedelta(minutes=-1)), id="expired"),
        pytest.param(signed(exp=None), id="for ever"),
        pytest.param(signed(iss="somebody"), id="of another issuer"),
        pytest.param(signed(email=None), id="of nobody"),
        pytest.param(signed(email=["alice.johnson@company.com"]), id="of several"),
        pytest.param("no-token", id="no token"),
        pytest.param("e30.e30.", id="not signed"),
    ],
)
async def test_a_header_that_is_not_right_lets_nobody_in(house, token):
    answer = await ask(house, x_openwebui_user_jwt=token)

    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    assert await people(house) == []


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        pytest.param(TOOL_KEY, {}, id="a service that says not for whom"),
        pytest.param(TOOL_KEY, {PLAIN: "alice.johnson@company.com"}, id="a plain header from anywhere"),
        pytest.param("alice.johnson", {SIGNED: signed()}, id="a person for somebody"),
    ],
)
async def test_nobody_speaks_for_others_without_being_entitled(house, key, headers):
    answer = await ask(house, key=key, **headers)

    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_error")
    assert await people(house) == []


async def test_the_plain_header_does_not_change_whose_key_it_is(house):
    answer = await ask(house, key="john.doe", **{PLAIN: "alice.johnson@company.com"})

    assert answer.status_code == 200
    assert await people(house) == ["john.doe@company.com"]


async def test_a_trusted_gateway_may_say_it_plainly(houses, monkeypatch):
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.1/32")
    house = await houses()
    await publish(house, MODEL)

    answer = await ask(house, **{PLAIN: "alice.johnson@company.com"})

    assert answer.status_code == 200
    assert await people(house) == ["alice.johnson@company.com"]


async def test_without_a_secret_nobody_is_known_by_the_header(houses):
    house = await houses()
    await publish(house, MODEL)

    answer = await ask(house, x_openwebui_user_jwt=signed())

    assert answer.status_code == 401
    assert "OPENWEBUI_JWT_SECRET" in answer.json()["error"]["message"]


async def test_a_service_lists_models_without_naming_anybody(house):
    models = await house.client.get("/v1/models", headers=as_person(TOOL_KEY))

    assert [model["id"] for model in models.json()["data"]] == [MODEL]


@pytest.mark.parametrize(
    ("prompt", "headers", "answer"),
    [
        pytest.param(TITLE, {}, {"title": "My laptop is slow, can I"}, id="a title, known by its prompt"),
        pytest.param("anything", {"x_openwebui_task": "tags_generation"}, {"tags": []}, id="tags, by the header"),
        pytest.param(
            '### Task:\nSuggest follow-ups.\nJSON: { "follow_ups": ["…"] }', {}, {"follow_ups": []}, id="follow-ups"
        ),
        pytest.param(
            '### Task:\nAnalyze …\nJSON: { "queries": ["…"] }', {}, {"queries": []}, id="queries for a search"
        ),
        pytest.param('### Task:\nYou are an autocompletion system. { "text": "…" }', {}, {"text": ""}, id="completion"),
    ],
)
async def test_its_own_prompts_reach_no_agent(house, prompt, headers, answer):
    said = await ask(house, prompt, **headers)

    assert json.loads(said.json()["choices"][0]["message"]["content"]) == answer
    assert house.taker.taken == []
    assert await house.value("SELECT count(*) FROM request_sessions") == 0


@pytest.mark.parametrize("task", ["", "{{TASK}}", "unknown"])
async def test_a_question_is_a_question_whatever_the_header_says(house, task):
    answer = await ask(house, 'What does "title": mean?', key="alice.johnson", x_openwebui_task=task)

    assert answer.json()["choices"][0]["message"]["content"].startswith("echo: ")
