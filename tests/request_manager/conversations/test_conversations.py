"""Conversations over HTTP: found by what is known of them, with their messages."""

from datetime import UTC, datetime, timedelta

import pytest

from self_service_agent.kit.ids import new_id
from self_service_agent.request_manager.conversations.rules import LAST, id_bound
from tests.agent_service.sessions.builders import a_conversation, a_person, ask, expire

CONVERSATIONS = "/api/v1/conversations"
TODAY = datetime.now(UTC).date().isoformat()
ADMIN = {"x-caller": "admin"}


@pytest.fixture
async def alice(pool):
    return await a_person(pool)


async def found(api, headers=None, **params):
    answer = await api.get(CONVERSATIONS, params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(api, headers=None, **params):
    return [each["session_id"] for each in (await found(api, headers, **params))["sessions"]]


async def test_a_conversation_comes_with_its_messages(api, pool, alice):
    session = await a_conversation(pool, alice)
    await ask(pool, alice, content="and now?", integration_type="CLI")

    page = await found(api, limit=10)

    (conversation,) = page.pop("sessions")
    assert page == {
        "count": 1, "total": 1, "complete": True, "limit": 10, "offset": 0, "filters": {},
    }  # fmt: skip
    assert (conversation["session_id"], conversation["user_id"], conversation["user_email"]) == (
        session, alice, "alice@company.com",
    )  # fmt: skip
    assert (conversation["integration_type"], conversation["integration_types"]) == ("WEB", ["WEB", "CLI"])
    assert (conversation["status"], conversation["total_requests"], conversation["current_agent_id"]) == (
        "ACTIVE", 2, "echo",
    )  # fmt: skip
    said = [(each["user_message"], each["agent_response"], each["status"]) for each in conversation["conversation"]]
    assert said == [("hello", "echo", "completed"), ("and now?", None, "pending")]


async def test_the_thread_of_a_message_is_the_requests_or_the_sessions(api, pool, alice):
    await ask(pool, alice, thread_id="1.1")
    normalized = '{"integration_context": {"thread_id": "2.2"}}'
    await ask(pool, alice, normalized=normalized)

    (conversation,) = (await found(api))["sessions"]

    threads = [(each["thread_id"], each["thread_id_source"]) for each in conversation["conversation"]]
    assert (conversation["current_thread_id"], threads) == ("1.1", [("1.1", "session"), ("2.2", "request")])


@pytest.mark.parametrize(
    ("search", "match"),
    [
        ({"user_id": "alice"}, True),
        ({"user_email": "Alice@company.com"}, True),
        ({"integration_type": "web"}, True),
        ({"integration_types": ["cli", "email"]}, True),
        ({"integration_types": "cli,email"}, True),
        ({"start_date": TODAY, "end_date": TODAY}, True),
        ({"end_date": "2020-01-01"}, False),
        ({"integration_types": ["sms", "email"]}, False),
        ({"agent_id": "echo"}, True),
        ({"agent_id": "of-a-message"}, True),
        ({"agent_id": "other"}, False),
        ({"start_date": "2020-01-01"}, True),
        ({"start_date": "2999-01-01"}, False),
        ({"end_date": "2999-01-01T00:00:00Z"}, True),
        ({"end_date": "2020-01-01T00:00:00+01:00"}, False),
    ],
)
@pytest.mark.parametrize("caller", ["alice", "operator"])
async def test_filters(api, pool, alice, *, search, match, caller):
    session = await a_conversation(pool, alice)
    stored = await ask(pool, alice, integration_type="CLI")
    await pool.execute("UPDATE request_logs SET agent_id = 'of-a-message' WHERE request_id = $1", stored.request_id)
    await a_person(pool, "bob")

    assert await ids(api, {"x-caller": caller}, **search) == ([session] if match else [])


async def test_what_belongs_to_others_is_not_found(api, pool, alice):
    bob = await a_person(pool, "bob")
    theirs, mine = await a_conversation(pool, bob), await a_conversation(pool, alice)

    assert await ids(api) == [mine]
    assert await ids(api, session_id=theirs) == []
    for name in ("bob", "nobody"):
        assert (await api.get(CONVERSATIONS, params={"user_id": name})).status_code == 403
    assert await ids(api, ADMIN) == [mine, theirs]
    assert await ids(api, ADMIN, session_id=theirs) == await ids(api, ADMIN, user_id=bob) == [theirs]
    assert await ids(api, ADMIN, session_id=theirs, user_id="alice") == []
    assert await ids(api, ADMIN, user_id="alice", user_email="bob@company.com") == []


async def test_pages(api, pool, alice):
    sessions = [await a_conversation(pool, alice, scope=f"s{number}") for number in range(25)]
    await expire(pool, sessions[0])

    pages = [await found(api, limit=10, offset=offset) for offset in (0, 10, 20, 30)]

    assert [each["session_id"] for page in pages for each in page["sessions"]] == sessions[::-1]
    assert [(page["count"], page["total"]) for page in pages] == [(10, 25), (10, 25), (5, 25), (0, 25)]
    assert pages[2]["sessions"][-1]["status"] == "EXPIRED"
    whole = await ids(api)
    assert whole == sessions[::-1]


async def test_the_newest_messages_are_shown(api, pool, alice):
    for number in range(5):
        await ask(pool, alice, content=f"message {number}")

    (newest,) = (await found(api, message_limit=2))["sessions"]
    (without,) = (await found(api, include_messages=False))["sessions"]

    assert [each["user_message"] for each in newest["conversation"]] == ["message 3", "message 4"]
    assert without["conversation"] == []


async def test_a_search_says_when_it_did_not_look_at_everything(api, pool, alice):
    await pool.execute(
        "INSERT INTO request_sessions (session_id, user_id, scope, integration_type, status, expires_at)"
        " SELECT 's' || n, $1, 'user', 'WEB', 'INACTIVE', now() FROM generate_series(1, 2100) n",
        alice,
    )

    page = await found(api, limit=1)

    assert (page["count"], page["total"], page["complete"]) == (1, 2000, False)


@pytest.mark.parametrize(
    "params",
    [{"limit": 1001}, {"offset": -1}, {"integration_type": "FAX"}, {"start_date": "soon"}, {"session_id": "\0"}],
)
async def test_a_search_that_makes_no_sense_is_refused(api, params):
    assert (await api.get(CONVERSATIONS, params=params)).status_code == 422


async def test_without_a_credential_nobody_gets_in(api):
    del api.headers["x-caller"]

    assert (await api.get(CONVERSATIONS)).status_code == 401


def test_ids_of_sessions_that_began_before_a_date_are_below_its_bound():
    now = datetime.now(UTC)

    assert new_id() < id_bound(now)
    assert new_id() > id_bound(now - timedelta(hours=2))
    assert id_bound(None) == LAST
    assert new_id() > id_bound(datetime(1, 1, 1, tzinfo=UTC))
    assert new_id() < id_bound(datetime(9999, 12, 31, tzinfo=UTC))
