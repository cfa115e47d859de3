"""What is forbidden, and what staff does with others' data, is in the audit log, with the address it came from."""

import pytest

from tests.acceptance.house import as_person

ALICE, JOHN, ADMIN = "alice.johnson", "john.doe", "web-admin"
ID = "SELECT user_id FROM users WHERE login = $1"
LINES = "SELECT actor, action, target, outcome, address FROM audit_log WHERE action <> 'key.create' ORDER BY at, id"


async def lines(house):
    await house.app.state.audit_log.flush()
    return [tuple(row.values()) for row in await house.rows(LINES)]


async def a_session(house, user=ALICE):
    return (await house.ask("hello", user=user)).json()["session_id"]


async def an_operator(house):
    """Return the headers of brian as an operator."""
    wish = {"name": "desk", "user": "brian.cole", "roles": ["operator"]}
    made = await house.client.post("/api/v1/keys", json=wish, headers=as_person(ADMIN))
    return as_person(made.json()["key"])


@pytest.mark.parametrize(
    ("method", "path", "body", "target"),
    [
        ("GET", f"/api/v1/conversations?user_id={ALICE}", None, "/api/v1/conversations"),
        ("GET", f"/api/v1/requests?user_id={ALICE}", None, "/api/v1/requests"),
        ("POST", "/api/v1/sessions", {"integration_type": "WEB", "user_id": ALICE}, "/api/v1/sessions"),
        ("DELETE", f"/api/v1/users/{ALICE}/data", None, "/api/v1/users/{user_id}/data"),
        ("GET", "/api/v1/handoffs", None, "/api/v1/handoffs"),
        ("DELETE", "/api/v1/knowledge/base/name", None, "/api/v1/knowledge/{base}/{name}"),
        ("GET", "/api/v1/audit", None, "/api/v1/audit"),
    ],
)
async def test_what_is_forbidden_is_noted_once(house, method, path, body, target):
    await a_session(house)

    answer = await house.client.request(method, path, json=body, headers=as_person(JOHN))

    assert answer.status_code == 403, answer.text
    john = await house.value(ID, JOHN)
    assert await lines(house) == [(john, "authorize", f"{method} {target}", "refused", "127.0.0.1")]


async def test_what_an_operator_exports_and_deletes_of_others_is_noted(house):
    operator, session = await an_operator(house), await a_session(house)
    address = f"/api/v1/sessions/{session}"

    statuses = [
        (await house.client.request(method, path, headers=operator)).status_code
        for method, path in (("GET", f"{address}/export"), ("DELETE", address))
    ]

    assert statuses == [200, 204]
    brian = await house.value(ID, "brian.cole")
    assert await lines(house) == [
        (brian, "session.exported", session, "allowed", "127.0.0.1"),
        (brian, "session.deleted", session, "allowed", "127.0.0.1"),
    ]


async def test_what_one_does_with_sessions_of_ones_own_is_not(house):
    address = f"/api/v1/sessions/{await a_session(house)}"

    await house.client.get(f"{address}/export", headers=as_person(ALICE))
    await house.client.delete(address, headers=as_person(ALICE))

    assert await lines(house) == []


@pytest.mark.parametrize("who", [ALICE, ADMIN])
async def test_whoever_exports_or_erases_a_person_is_noted_with_their_address(house, who):
    await a_session(house)
    alice = await house.value(ID, ALICE)

    for method in ("GET", "DELETE"):
        await house.client.request(method, f"/api/v1/users/{ALICE}/data", headers=as_person(who))

    actor = alice if who == ALICE else await house.value(ID, who)
    assert await lines(house) == [
        (actor, "person.exported", alice, "allowed", "127.0.0.1"),
        (actor, "person.erased", alice, "allowed", "127.0.0.1"),
    ]
