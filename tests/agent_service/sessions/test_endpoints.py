"""Sessions over HTTP."""

import asyncio

import pytest

from self_service_agent.kit.ids import new_id
from self_service_agent.shared_models.users import user_id_of
from tests.agent_service.sessions.builders import (
    a_conversation,
    a_delivery,
    a_person,
    a_turn,
    ask,
    counted,
    expire,
    status_of,
)

SESSIONS = "/api/v1/sessions"
ADMIN = {"x-caller": "admin"}
OPERATOR = {"x-caller": "operator"}
MALLORY = {"x-caller": "mallory"}


@pytest.fixture
async def alice(pool):
    return await a_person(pool)


async def listed(api, headers=None, **params):
    answer = await api.get(SESSIONS, params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return [each["session_id"] for each in answer.json()["sessions"]]


async def test_a_person_sees_their_sessions_newest_first(api, pool, alice):
    bob = await a_person(pool, "bob")
    mine = [await a_conversation(pool, alice, scope=scope) for scope in ("user", "WEB")]
    theirs = await a_conversation(pool, bob)

    assert await listed(api) == mine[::-1]
    assert await listed(api, user_id="bob@company.com") == []
    assert await listed(api, ADMIN) == [theirs, *mine[::-1]]
    assert await listed(api, OPERATOR, user_id="BOB") == [theirs]
    assert await listed(api, OPERATOR, user_id="nobody") == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"user_id": "Alice@Company.com"}, True),
        ({"status": "active"}, True),
        ({"status": "EXPIRED"}, False),
        ({"integration_type": "web"}, True),
        ({"integration_type": "CLI"}, False),
        ({"agent_id": "echo"}, True),
        ({"agent_id": "other"}, False),
        ({"created_since": "2020-01-01"}, True),
        ({"created_until": "2020-01-01T00:00:00Z"}, False),
        ({"last_request_since": "2999-01-01T00:00:00+02:00"}, False),
        ({"last_request_until": "2999-01-01"}, True),
    ],
)
async def test_filters(api, pool, alice, *, search, found):
    session = await a_conversation(pool, alice)

    assert await listed(api, **search) == ([session] if found else [])


async def test_a_session_past_its_time_is_shown_as_expired(api, pool, alice):
    session = await a_conversation(pool, alice)
    await expire(pool, session)

    assert await listed(api, status="ACTIVE") == []
    assert await listed(api, status="EXPIRED") == [session]


async def test_pages_follow_each_other_by_cursor(api, pool, alice):
    sessions = [(await ask(pool, alice, scope=f"s{number}")).session_id for number in range(5)]
    seen, cursor = [], None

    while True:
        page = (await api.get(SESSIONS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [each["session_id"] for each in page["sessions"]]
        if not (cursor := page["next_cursor"]):
            break

    assert seen == sessions[::-1]


@pytest.mark.parametrize(
    ("params", "status"),
    [({"cursor": "rubbish"}, 400), ({"limit": 201}, 422), ({"created_since": "0001-01-01T00:00:00+14:00"}, 422)],
)
async def test_a_search_that_makes_no_sense_is_refused(api, params, status):
    assert (await api.get(SESSIONS, params=params)).status_code == status


async def test_a_session_is_opened_and_found_by_requests(api, pool, alice):
    opened = await api.post(SESSIONS, json={"integration_type": "web", "scope": "user", "metadata": {"a": 1}})

    session = opened.json()
    assert (opened.status_code, opened.headers["location"]) == (201, f"{SESSIONS}/{session['session_id']}")
    assert (session["user_id"], session["status"], session["total_requests"]) == (alice, "ACTIVE", 0)
    assert session["integration_metadata"] == {"a": 1}
    assert (await ask(pool, alice)).session_id == session["session_id"]


async def test_of_two_sessions_in_one_scope_the_second_is_refused(api, alice):
    body = {"integration_type": "WEB", "name": "laptop"}
    both = await asyncio.gather(*(api.post(SESSIONS, json=body) for _ in range(2)))

    assert sorted(answer.status_code for answer in both) == [201, 409]


async def test_an_expired_session_makes_room(api, pool, alice):
    old = await a_conversation(pool, alice)
    await expire(pool, old)

    opened = await api.post(SESSIONS, json={"integration_type": "WEB", "scope": "user"})

    assert (opened.status_code, await status_of(pool, old)) == (201, "EXPIRED")


async def test_unnamed_sessions_are_each_their_own(api, alice):
    opened = [await api.post(SESSIONS, json={"integration_type": "WEB"}) for _ in range(2)]

    assert [answer.status_code for answer in opened] == [201, 201]


@pytest.mark.parametrize(
    ("caller", "user_id", "status"),
    [
        ("alice", "ALICE", 201),
        ("alice", "bob", 403),
        ("alice", "nobody", 403),
        ("operator", "bob@company.com", 201),
        ("operator", "nobody", 422),
    ],
)
async def test_on_whose_behalf_a_session_is_opened(api, pool, alice, *, caller, user_id, status):
    bob = await a_person(pool, "bob")

    opened = await api.post(
        SESSIONS, json={"integration_type": "WEB", "user_id": user_id}, headers={"x-caller": caller}
    )

    assert opened.status_code == status
    if caller == "operator" and status == 201:
        assert opened.json()["user_id"] == bob


@pytest.mark.parametrize(
    "body",
    [{}, {"integration_type": "WEB", "scope": "thread"}, {"integration_type": "WEB", "metadata": {"a": "\0"}}],
)
async def test_what_cannot_be_opened(api, alice, body):
    assert (await api.post(SESSIONS, json=body)).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/close"),
        ("POST", "/resume"),
        ("GET", "/export"),
    ],
)
@pytest.mark.parametrize("whose", ["another person's", "nobody's", "not one"])
async def test_of_others_there_is_nothing_to_see_or_change(api, pool, alice, *, method, path, whose):
    session = {"another person's": await a_conversation(pool, alice), "nobody's": new_id(), "not one": "%00"}[whose]
    before = await counted(pool)

    answer = await api.request(method, f"{SESSIONS}/{session}{path}", json={"integration_type": "WEB"}, headers=MALLORY)

    assert (answer.status_code, answer.json()["error"]) == (404, "There is no such session")
    assert await counted(pool) == before


async def test_without_a_credential_nobody_gets_in(api):
    del api.headers["x-caller"]

    assert (await api.get(SESSIONS)).status_code == 401


async def test_named_fields_are_replaced_and_others_stay(api, pool, alice):
    url = f"{SESSIONS}/{await a_conversation(pool, alice)}"
    await api.patch(url, json={"metadata": {"a": 1}, "name": "laptop"})

    changed = await api.patch(url, json={"user_context": {"b": 2}})

    session = changed.json()
    assert (session["integration_metadata"], session["name"], session["user_context"]) == ({"a": 1}, "laptop", {"b": 2})
    assert (await api.patch(url, json={"name": None})).json()["name"] is None


async def test_of_two_changes_of_one_version_one_is_refused(api, pool, alice):
    url = f"{SESSIONS}/{await a_conversation(pool, alice)}"
    etag = (await api.get(url)).headers["etag"]
    await ask(pool, alice)  # a request is no change of what can be changed

    both = await asyncio.gather(
        *(api.patch(url, json={"name": name}, headers={"if-match": etag}) for name in ("a", "b"))
    )

    assert sorted(answer.status_code for answer in both) == [200, 412]
    (kept,) = (answer for answer in both if answer.status_code == 200)
    assert (await api.get(url)).headers["etag"] == kept.headers["etag"] != etag


async def test_a_closed_session_takes_no_more_requests(api, pool, alice):
    old = await a_conversation(pool, alice)

    closed = await api.post(f"{SESSIONS}/{old}/close")
    again = await api.post(f"{SESSIONS}/{old}/close")

    assert (closed.json()["status"], again.json()) == ("INACTIVE", closed.json())
    assert (await ask(pool, alice)).session_id != old


async def test_a_deleted_session_leaves_nothing(api, pool, alice):
    kept = await a_conversation(pool, alice, scope="WEB")
    before = await counted(pool)
    session = await a_conversation(pool, alice)

    assert (await api.delete(f"{SESSIONS}/{session}")).status_code == 204
    assert await counted(pool) == before
    assert await listed(api) == [kept]
    assert (await api.delete(f"{SESSIONS}/{session}")).status_code == 404


@pytest.mark.parametrize("work", ["event", "turn", "delivery"])
async def test_a_session_at_work_is_not_deleted(api, pool, alice, work):
    session = await a_conversation(pool, alice)
    match work:
        case "event":
            await ask(pool, alice)
        case "turn":
            await a_turn(pool, session, new_id(), user_id=alice, status="queued")
        case "delivery":
            await a_delivery(pool, session, new_id(), user_id=alice, status="RETRYING")

    assert (await api.delete(f"{SESSIONS}/{session}")).status_code == 409
    assert await status_of(pool, session) == "ACTIVE"


async def test_an_administrator_may_do_all_of_it(api, pool, alice):
    url = f"{SESSIONS}/{await a_conversation(pool, alice)}"

    answers = [
        await api.patch(url, json={"name": "x"}, headers=ADMIN),
        await api.post(f"{url}/close", headers=ADMIN),
        await api.post(f"{url}/resume", json={"integration_type": "CLI"}, headers=ADMIN),
        await api.get(f"{url}/export", headers=ADMIN),
        await api.delete(url, headers=ADMIN),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 204]
    assert user_id_of("admin") != alice
