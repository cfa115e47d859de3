"""A conversation as one document."""

from tests.agent_service.sessions.builders import a_conversation, a_person, ask


async def exported(api, session):
    answer = await api.get(f"/api/v1/sessions/{session}/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    return answer.json()


async def test_an_export_holds_the_whole_conversation(api, pool):
    session = await a_conversation(pool, await a_person(pool))

    document = await exported(api, session)

    (request,) = document["requests"]
    assert (document["session"]["session_id"], document["session"]["integration_metadata"]) == (session, {})
    assert (request["content"], request["response_content"], request["response_metadata"]) == (
        "hello", "echo", {"a": 1},
    )  # fmt: skip
    assert [(each["tool"], each["result"]) for each in request["tool_calls"]] == [("order", {"number": "REQ1"})]
    assert [(each["integration_type"], each["status"]) for each in request["deliveries"]] == [("TEST", "DELIVERED")]


async def test_a_long_conversation_is_whole_and_in_order(api, pool):
    alice = await a_person(pool)
    for number in range(230):
        session = (await ask(pool, alice, content=f"message {number}")).session_id

    requests = (await exported(api, session))["requests"]

    assert [each["content"] for each in requests] == [f"message {number}" for number in range(230)]


async def test_a_session_without_requests_has_an_export(api, pool):
    await a_person(pool)
    session = (await api.post("/api/v1/sessions", json={"integration_type": "WEB"})).json()["session_id"]

    assert (await exported(api, session))["requests"] == []
