"""What is just at the edge of what can be stored or counted is refused, and nothing fails because of it."""

import base64

import pytest

from tests.acceptance.house import as_person

ALICE, ADMIN = "alice.johnson", "web-admin"


async def test_the_keys_of_an_erased_person_open_nothing_any_more(house):
    made = await house.client.post("/api/v1/keys", json={"name": "mine"}, headers=as_person(ALICE))
    key = as_person(made.json()["key"])
    assert (await house.client.get("/api/v1/requests", headers=key)).status_code == 200

    await house.client.delete(f"/api/v1/users/{ALICE}/data", headers=as_person(ALICE))
    await house.ask("hello", user=ALICE)  # who is known again, as somebody without keys

    assert (await house.client.get("/api/v1/requests", headers=key)).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/keys", b'{"name": "\\ud800"}'),
        ("POST", "/api/v1/sessions", b'{"integration_type": "WEB", "name": "\\ud800"}'),
        ("POST", "/api/v1/sessions", b'{"integration_type": "WEB", "metadata": {"a": "\\ud800"}}'),
        ("POST", "/api/v1/keys", b'{"name": "n", "expires_at": "9999-12-31T23:59:59-14:00"}'),
        ("GET", "/api/v1/audit?since=0001-01-01T00:00:00%2B14:00", b""),
    ],
)
async def test_what_no_column_takes_is_refused(house, method, path, body):
    headers = as_person(ADMIN) | {"content-type": "application/json"}

    answer = await house.client.request(method, path, content=body, headers=headers)

    assert answer.status_code == 422, answer.text


async def test_a_cursor_that_was_edited_is_refused(house):
    cursor = base64.urlsafe_b64encode(b'{"environment":0,"before":"\\u0000"}').rstrip(b"=").decode()

    answer = await house.client.get(f"/api/v1/keys?cursor={cursor}", headers=as_person(ADMIN))

    assert 400 <= answer.status_code < 500


async def test_a_limited_key_ends_no_key_that_may_do_more(house):
    unlimited = (await house.client.post("/api/v1/keys", json={"name": "all"}, headers=as_person(ALICE))).json()
    wish = {"name": "keys only", "scopes": ["keys"]}
    limited = (await house.client.post("/api/v1/keys", json=wish, headers=as_person(ALICE))).json()

    answer = await house.client.delete(f"/api/v1/keys/{unlimited['key_id']}", headers=as_person(limited["key"]))

    assert answer.status_code == 403


async def test_nothing_is_redirected_to_where_the_caller_says(house):
    answer = await house.client.get("/api/v1/requests/", headers=as_person(ALICE) | {"host": "evil.example"})

    assert (answer.status_code, "location" in answer.headers) == (404, False)
