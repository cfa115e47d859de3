"""Which requests share a session, whose it is, and when it ends."""

import hashlib
import hmac
import json
import time
from datetime import timedelta

import pytest
from pydantic import SecretStr

from self_service_agent.agent_service.app import conversations
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import ServiceTokens
from tests.acceptance.house import SLACK_SECRET, TOOL_KEY, gather_ordered

EXPIRE = "UPDATE request_sessions SET expires_at = now() - interval '1 second'"
STATES = "SELECT session_id, status FROM request_sessions ORDER BY id"


async def session_of(house, content="hello", **asked):
    answer = await house.ask(content, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["session_id"]


def in_session(session_id):
    return {"request_manager_session_id": session_id}


def signed(body, *, at=None):
    timestamp = str(at or int(time.time()))
    signature = hmac.new(SLACK_SECRET.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": timestamp, "x-slack-signature": f"v0={signature}"}


async def ask_from_slack(house, **changes):
    person = {"user_id": "alice.johnson", "slack_user_id": "U1", "slack_team_id": "T1", "channel_id": "C1"}
    body = json.dumps({"content": "hello", **person, **changes}).encode()
    answer = await house.client.post("/api/v1/requests/slack", content=body, headers=signed(body))
    assert answer.status_code == 202, answer.text
    return answer.json()["session_id"]


async def test_a_person_has_one_session_on_every_door(house):
    web = await session_of(house)
    cli = await session_of(house, door="cli")
    tool = await house.client.post(
        "/api/v1/requests/tool",
        json={"user_id": "alice.johnson", "content": "hello", "tool_id": "snow-integration"},
        headers={"x-api-key": TOOL_KEY},
    )

    assert {web, cli, tool.json()["session_id"]} == {web}


async def test_sessions_can_be_kept_apart_by_integration_type(houses):
    house = await houses(request_manager={"session_per_integration_type": True})

    web, cli = await session_of(house), await session_of(house, door="cli")

    assert web != cli
    assert await session_of(house) == web
    assert await session_of(house, door="cli") == cli


async def test_different_people_never_share_a_session(house):
    assert await session_of(house) != await session_of(house, user="john.doe")


async def test_each_slack_thread_has_its_session(house):
    threads = [await ask_from_slack(house, thread_id=thread) for thread in ("1.1", "1.1", "2.2")]
    elsewhere = await ask_from_slack(house, channel_id="C2", thread_id="1.1")
    unthreaded = await ask_from_slack(house)

    assert threads[0] == threads[1]
    assert len({*threads, elsewhere, unthreaded}) == 4
    assert unthreaded == await session_of(house)


@pytest.mark.parametrize("place", [in_session, lambda session: {"metadata": {"session_id": session}}])
async def test_a_person_goes_on_in_the_session_they_name(house, place):
    thread = await ask_from_slack(house, thread_id="1.1")

    assert await session_of(house, body=place(thread)) == thread
    assert await session_of(house) != thread


@pytest.mark.parametrize("named", ["of-nobody", "00000000-0000-7000-8000-000000000000"])
async def test_an_unknown_session_is_refused(house, named):
    refused = await house.ask("hello", body=in_session(named))

    assert refused.status_code == 404
    assert await house.value("SELECT count(*) FROM request_logs") == 0


async def test_a_session_answers_to_its_owner_only(house):
    alices = await session_of(house)

    refused = await house.ask("hello", user="john.doe", body=in_session(alices))

    assert refused.status_code == 404
    assert refused.json()["error"] == "There is no such session, or it has ended."
    assert await house.value("SELECT total_requests FROM request_sessions") == 1


async def test_a_stranger_who_asks_at_the_same_moment_does_not_slip_into_a_session(house):
    alices = await session_of(house)
    await session_of(house, user="john.doe")

    asked = [
        house.ask(f"from {user} {number}", user=user, body=in_session(alices))
        for number in range(20)
        for user in ("john.doe", "alice.johnson")
    ]
    statuses = [answer.status_code for answer in await gather_ordered(*asked)]

    assert statuses == [404, 200] * 20
    assert await house.value("SELECT count(*) FROM request_logs WHERE session_id = $1", alices) == 21


async def test_an_expired_session_is_followed_by_a_new_one(house):
    old = await session_of(house)
    await house.rows(EXPIRE)

    new = await session_of(house)

    assert await house.rows(STATES) == [
        {"session_id": old, "status": "EXPIRED"},
        {"session_id": new, "status": "ACTIVE"},
    ]


async def test_simultaneous_requests_after_an_expiry_share_the_new_session(house):
    await session_of(house)
    await house.rows(EXPIRE)

    sessions = {
        answer.json()["session_id"] for answer in await gather_ordered(*(house.ask("hello") for _ in range(10)))
    }

    assert len(sessions) == 1


async def test_an_expired_session_cannot_be_continued(house):
    old = await session_of(house)
    await house.rows(EXPIRE)

    refused = await house.ask("hello", body=in_session(old))

    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
    assert await house.value("SELECT count(*) FROM request_logs") == 1


@pytest.mark.parametrize("named", [True, False])
async def test_each_request_prolongs_its_session(houses, named):
    house = await houses(request_manager={"session_timeout_hours": 2})
    session = await session_of(house)
    await house.rows("UPDATE request_sessions SET expires_at = now() + interval '1 minute'")

    await session_of(house, body=in_session(session) if named else {})

    left = await house.value("SELECT expires_at - now() FROM request_sessions")
    assert timedelta(hours=1, minutes=59) < left <= timedelta(hours=2)


async def test_simultaneous_first_requests_of_a_new_person_open_one_session(houses):
    first, second = await houses(), await houses()

    asked = [house.ask(f"hello {n}", user=f"person-{n}") for n in range(5) for house in (first, second) * 4]
    answers = await gather_ordered(*asked)

    assert [answer.status_code for answer in answers] == [200] * 40
    assert await first.value("SELECT count(*) FROM users") == 5
    assert await first.value("SELECT count(*) FROM request_sessions") == 5
    assert await first.value("SELECT bool_and(total_requests = 8) FROM request_sessions")


async def test_reset_closes_the_session(houses):
    secret = SecretStr("a-secret-of-at-least-thirty-two-bytes")
    opening = conversations(AgentServiceSettings(), ServiceTokens(secret), policy=EgressPolicy(allow_loopback=True))
    house = await houses(conversations=opening)
    before = await session_of(house)

    reset = await house.ask(" Reset ")
    after = await session_of(house)
    refused = await house.ask("hello", body=in_session(before))

    assert reset.json()["session_id"] == before
    assert after != before
    assert refused.status_code == 404
    assert [row["status"] for row in await house.rows(STATES)] == ["INACTIVE", "ACTIVE"]
