"""Attackers at the doors: each comes with something that is almost right, and none gets in."""

import json

import pytest

from tests.acceptance.house import OTHER_TOOL_KEY, as_person
from tests.request_manager.authentication.signing import (
    AUDIENCE,
    ISSUER,
    PEM,
    a_token,
    claims,
    encoded,
    header,
    hs256,
    rsa_jwk,
)
from tests.request_manager.authentication.test_attacks import CLAIMS, FORMS, HEADERS, SIGNATURES

ALICE, JOHN, ADMIN = "alice.johnson", "john.doe", "web-admin"
# These become good while the tests run, and are tried with a clock that stands still.
_SOON_GOOD = {"not yet valid", "issued in the future"}
HEADER_LIMIT = 16_000
IDENTITY_HEADERS = ("x-user-id", "x-forwarded-user", "x-remote-user", "x-user-email", "x-user-groups")
OWN = claims(sub=ALICE)


@pytest.fixture
async def house(houses, monkeypatch):
    issuer = {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["RS256"], "jwks": {"keys": [rsa_jwk()]}}
    monkeypatch.setenv("JWT_ENABLED", "true")
    monkeypatch.setenv("JWT_ISSUERS", json.dumps([issuer]))
    return await houses()


async def ask(house, token, *, user=ALICE, headers=None):
    return await house.client.post(
        "/api/v1/requests/web",
        json={"user_id": user, "content": "hello"},
        headers={"authorization": f"Bearer {token}"} | (headers or {}),
    )


async def test_a_good_token_opens_the_door(house):
    answer = await ask(house, a_token(payload=OWN))

    assert (answer.status_code, answer.json()["response"]["content"]) == (200, "echo: hello")


async def test_no_forged_token_opens_it(house):
    forged = {**SIGNATURES, **HEADERS, **FORMS, **{name: a_token(payload=each) for name, each in CLAIMS.items()}}
    # What is no header value at all does not get this far.
    forged = {name: each for name, each in forged.items() if each.strip() == each != "" and each.isascii()}
    forged = {name: each for name, each in forged.items() if each.isprintable() and len(each) < HEADER_LIMIT}
    forged = {name: each for name, each in forged.items() if name not in _SOON_GOOD}
    answers = {name: await ask(house, token) for name, token in forged.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(forged, 401)
    assert await house.value("SELECT count(*) FROM request_logs") == 0
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers.values())


async def test_no_token_is_another_persons(house):
    answer = await ask(house, a_token(payload=OWN), user=JOHN)

    assert answer.status_code == 403


@pytest.mark.parametrize("name", IDENTITY_HEADERS)
async def test_a_stranger_cannot_name_itself_in_a_header(house, name):
    with_key = await ask(house, JOHN, user=JOHN, headers={name: ALICE})
    without = await house.client.post(
        "/api/v1/requests/web", json={"user_id": ALICE, "content": "hello"}, headers={name: ALICE}
    )

    assert (with_key.status_code, without.status_code) == (401, 401)


async def test_what_belongs_to_others_looks_like_nothing_at_all(house):
    mine = (await house.ask("hello", user=ALICE)).json()
    request, session = mine["request_id"], mine["session_id"]
    paths = (
        f"/api/v1/requests/{request}",
        f"/api/v1/requests/{request}/status",
        f"/api/v1/requests/{request}/result",
        f"/api/v1/requests/{request}/events",
        f"/api/v1/sessions/{session}",
        f"/api/v1/sessions/{session}/export",
    )
    foreign = [(await house.client.get(path, headers=as_person(JOHN))).status_code for path in paths]
    own = [(await house.client.get(path, headers=as_person(ALICE))).status_code for path in paths]
    nobody = [(await house.client.get(path)).status_code for path in paths]

    assert (foreign, own, nobody) == ([404] * 6, [200] * 6, [401] * 6)


async def test_lists_hold_what_is_ones_own(house):
    await house.ask("hello", user=ALICE)
    seen = {}
    for who in (JOHN, ALICE, ADMIN):
        requests = await house.client.get("/api/v1/requests", headers=as_person(who))
        sessions = await house.client.get("/api/v1/sessions", headers=as_person(who))
        talks = await house.client.get("/api/v1/conversations", headers=as_person(who))
        seen[who] = [len(requests.json()["requests"]), len(sessions.json()["sessions"]), talks.json()["total"]]

    assert seen == {JOHN: [0, 0, 0], ALICE: [1, 1, 1], ADMIN: [1, 1, 1]}


@pytest.mark.parametrize("path", ["/api/v1/requests", "/api/v1/conversations", "/api/v1/sessions"])
async def test_a_filter_for_somebody_else_shows_nothing_of_theirs(house, path):
    mine = (await house.ask("hello", user=ALICE)).json()

    answer = await house.client.get(path, params={"user_id": ALICE}, headers=as_person(JOHN))

    assert answer.status_code in {200, 403}
    assert mine["request_id"] not in answer.text
    assert mine["session_id"] not in answer.text


async def test_a_session_of_somebody_else_cannot_be_continued_changed_or_ended(house):
    session = (await house.ask("hello", user=ALICE)).json()["session_id"]
    intruder = as_person(JOHN)
    tried = [
        await house.client.post(
            "/api/v1/requests/web",
            json={"user_id": JOHN, "content": "hello", "request_manager_session_id": session},
            headers=intruder,
        ),
        await house.client.patch(f"/api/v1/sessions/{session}", json={"name": "mine"}, headers=intruder),
        await house.client.post(f"/api/v1/sessions/{session}/close", headers=intruder),
        await house.client.delete(f"/api/v1/sessions/{session}", headers=intruder),
        await house.client.delete(f"/api/v1/users/{ALICE}/data", headers=intruder),
    ]

    assert [answer.status_code for answer in tried] == [404, 404, 404, 404, 403]


async def test_a_tools_key_is_for_that_tool_and_for_no_other_door(house):
    body = {"user_id": ALICE, "content": "hello", "tool_id": "snow-integration"}
    as_another = await house.client.post("/api/v1/requests/tool", json=body, headers={"x-api-key": OTHER_TOOL_KEY})
    as_a_person = await ask(house, OTHER_TOOL_KEY)

    assert (as_another.status_code, as_a_person.status_code) == (403, 401)


async def test_a_login_that_is_somebody_elses_id_opens_nothing_of_theirs(house):
    await house.ask("hello", user=ALICE)
    alice = await house.value("SELECT user_id FROM users WHERE login = $1", ALICE)
    headers = {"authorization": f"Bearer {a_token(payload=claims(sub=alice))}"}

    answers = [await house.client.get(f"/api/v1/users/{name}/data", headers=headers) for name in (alice, ALICE)]

    assert all(ALICE not in answer.text for answer in answers)


async def test_the_refusals_are_in_the_audit_log_and_hold_no_credential(house):
    token = a_token(header(alg="HS256"), OWN, hs256(PEM))
    await ask(house, token)
    await ask(house, JOHN, user=ALICE)
    await house.app.state.audit_log.flush()

    entries = (await house.client.get("/api/v1/audit", headers=as_person(ADMIN))).json()["entries"]
    assert {(entry["action"], entry["outcome"], entry["target"]) for entry in entries} == {
        ("authenticate", "refused", "POST /api/v1/requests/web"),
        ("authorize", "refused", "POST /api/v1/requests/web"),
    }
    assert token not in str(entries)
    assert encoded(OWN) not in str(entries)
