"""Turns that another of our services brings itself, and waits for."""

import asyncio

import pytest
from pydantic import SecretStr

from self_service_agent.kit import clock
from self_service_agent.kit.ids import new_id
from self_service_agent.kit.service_tokens import ServiceTokens
from tests.acceptance.agents import opening
from tests.acceptance.house import eventually

TOKENS = ServiceTokens(SecretStr("a secret of at least thirty-two bytes"))
AGENT = "routing-agent"
TURNS = "SELECT count(*) FROM turns"


@pytest.fixture
async def house(houses):
    return await houses(conversations=opening(), sink=True)


def a_token(*, audience="agents"):
    return TOKENS.issue(service="request-manager", audience=audience, now=clock.now())


async def a_session(house):
    """Return (session_id, user_id) of a session that is open."""
    asked = (await house.ask("hello")).json()
    return asked["session_id"], await house.value("SELECT user_id FROM request_sessions")


async def bring(house, session_id, user_id, *, agent=AGENT, token=None, **fields):
    turn = {"request_id": new_id(), "session_id": session_id, "user_id": user_id, "content": "hello"}
    headers = {"authorization": f"Bearer {token or a_token()}"}
    return await house.client.post(f"/api/v1/agents/{agent}/turns", json=turn | fields, headers=headers)


async def test_a_turn_is_taken_and_its_answer_returned(house):
    session, user = await a_session(house)

    answer = await bring(house, session, user, content="What is the laptop refresh policy?")

    said = answer.json()
    assert answer.status_code == 200
    assert (said["session_id"], said["user_id"], said["response_type"]) == (session, user, "message")
    assert "Laptop refresh policy" in said["content"]
    assert said["metadata"]["definition"]["id"] == AGENT
    assert await house.value("SELECT total_requests FROM request_sessions") == 2


async def test_the_same_request_again_is_the_same_turn(house):
    session, user = await a_session(house)
    request_id = new_id()

    first = await bring(house, session, user, request_id=request_id)
    again = await bring(house, session, user, request_id=request_id)

    assert (first.status_code, again.status_code) == (200, 202)
    assert again.json() == {"request_id": request_id, "session_id": session, "status": "done"}
    assert await house.value(TURNS) == 2


async def test_turns_of_a_session_come_one_after_the_other(house):
    session, user = await a_session(house)

    answers = await asyncio.gather(*(bring(house, session, user) for _ in range(4)))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert await house.value("SELECT count(DISTINCT sequence) FROM turns") == 5


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"agent": "no-such-agent"}, 404, id="no agent"),
        pytest.param({"session_id": "01a1fac5-0000-7000-8000-000000000000"}, 404, id="no session"),
        pytest.param({"user_id": "somebody-else"}, 404, id="the session of somebody else"),
        pytest.param({"content": ""}, 422, id="nothing said"),
        pytest.param({"token": "alice.johnson"}, 401, id="a person"),
        pytest.param({"token": a_token(audience="events")}, 401, id="a credential for something else"),
    ],
)
async def test_nothing_is_left_of_a_turn_that_cannot_be_taken(house, changes, status):
    session, user = await a_session(house)

    refused = await bring(house, **({"session_id": session, "user_id": user} | changes))

    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    assert await house.value(TURNS) == 1
    assert await house.value("SELECT total_requests FROM request_sessions") == 1


async def test_an_answer_that_does_not_come_in_time_is_announced_as_an_event(houses):
    house = await houses(sink=True, agent_service={"agent_timeout": 0.3})
    publishing = "INSERT INTO agent_definitions VALUES ('d', $1, '1', '{}', now(), now())"
    await house.platform.pools.durable.execute(publishing, AGENT)
    session, user = await a_session(house)
    gate = house.taker.hold("slow")

    late = await bring(house, session, user, content="slow")
    gate.set()

    assert (late.status_code, late.json()["status"]) == (202, "ready")
    assert await eventually(lambda: house.value("SELECT bool_and(status = 'done') FROM turns"))
