"""A conversation goes on in another channel."""

import asyncio

import pytest

from tests.agent_service.sessions.builders import a_conversation, a_person, ask, expire, status_of

SESSIONS = "/api/v1/sessions"
THREAD = {"integration_type": "slack", "channel_id": "C", "thread_id": "1.1"}


@pytest.fixture
async def alice(pool):
    return await a_person(pool)


async def test_a_conversation_goes_on_in_a_thread(api, pool, alice):
    session = await a_conversation(pool, alice)

    resumed = (await api.post(f"{SESSIONS}/{session}/resume", json=THREAD)).json()

    assert (resumed["session_id"], resumed["scope"], resumed["integration_type"]) == (session, "slack:C:1.1", "SLACK")
    assert (resumed["channel_id"], resumed["thread_id"], resumed["total_requests"]) == ("C", "1.1", 1)
    assert (await ask(pool, alice, scope="slack:C:1.1")).session_id == session
    assert (await ask(pool, alice)).session_id != session


async def test_a_closed_conversation_can_be_taken_up_again(api, pool, alice):
    session = await a_conversation(pool, alice, status="INACTIVE")

    resumed = await api.post(f"{SESSIONS}/{session}/resume", json={"integration_type": "WEB"})

    assert (resumed.status_code, resumed.json()["status"]) == (200, "ACTIVE")
    assert (await ask(pool, alice)).session_id == session


async def test_where_another_session_is_active_none_is_resumed(api, pool, alice):
    closed = await a_conversation(pool, alice, status="INACTIVE")
    active = await a_conversation(pool, alice)

    refused = await api.post(f"{SESSIONS}/{closed}/resume", json={"integration_type": "WEB"})

    assert refused.status_code == 409
    assert active in refused.json()["error"]
    assert await status_of(pool, closed) == "INACTIVE"


async def test_an_expired_session_is_in_nobodys_way(api, pool, alice):
    closed = await a_conversation(pool, alice, status="INACTIVE")
    await expire(pool, await a_conversation(pool, alice))

    assert (await api.post(f"{SESSIONS}/{closed}/resume", json={"integration_type": "WEB"})).status_code == 200


@pytest.mark.parametrize("status", ["ACTIVE", "INACTIVE", "EXPIRED"])
async def test_an_expired_session_is_never_revived(api, pool, alice, status):
    session = await a_conversation(pool, alice, status=status)
    await expire(pool, session)

    refused = await api.post(f"{SESSIONS}/{session}/resume", json={"integration_type": "WEB"})

    assert refused.status_code == 410
    assert (await ask(pool, alice)).session_id != session


async def test_an_archived_session_stays_archived(api, pool, alice):
    session = await a_conversation(pool, alice, status="ARCHIVED")

    assert (await api.post(f"{SESSIONS}/{session}/resume", json=THREAD)).status_code == 409


async def test_two_conversations_resumed_at_once_do_not_share_a_place(api, pool, alice):
    sessions = [await a_conversation(pool, alice, status="INACTIVE") for _ in range(4)]

    answers = await asyncio.gather(*(api.post(f"{SESSIONS}/{each}/resume", json=THREAD) for each in sessions))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
