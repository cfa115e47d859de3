"""What does not fit is refused with a problem that says so and nothing more, and leaves nothing behind."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.databases import fresh_database
from tests.acceptance.house import OTHER_TOOL_KEY, TOOL_KEY, Choices, House, as_person, open_house
from tests.acceptance.test_sessions import signed

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSON: dict[str, Any] = {"user_id": "alice.johnson", "content": "hello"}
BODIES: dict[str, dict[str, Any]] = {
    "web": PERSON,
    "cli": PERSON,
    "generic": PERSON | {"integration_type": "WEB"},
    "tool": PERSON | {"tool_id": "snow-integration"},
    "slack": PERSON | {"slack_user_id": "U1", "slack_team_id": "T1"},
}
DOORS = tuple(BODIES)
LEAKS = re.compile(r"Traceback|asyncpg|pydantic|psycopg|Exception|DETAIL|\.py\b|character varying|u0000 cannot")
COUNTS = """
    SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM request_sessions), (SELECT count(*) FROM request_logs),
        (SELECT count(*) FROM event_inbox), (SELECT count(*) FROM turns)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting(migrated, tmp_path_factory) -> AsyncIterator[House]:
    """Yield a house for every test here, in which Alice is known and has asked once."""
    async with (
        fresh_database(migrated) as database,
        open_house(
            database, tmp_path_factory.mktemp("home"), Choices(agent_service={"turn_lease_seconds": 1})
        ) as house,
    ):
        assert (await house.ask("hello")).status_code == 200
        yield house


def credential(door, body):
    match door:
        case "tool":
            return {"x-api-key": TOOL_KEY}
        case "slack":
            return signed(body)
        case _:
            return as_person("alice.johnson")


async def knock(house, door, body, **headers):
    """Post `body`, made of bytes or of the changes to a valid one, with a valid credential."""
    content = body if isinstance(body, bytes) else json.dumps(BODIES[door] | body).encode()
    return await house.client.post(
        f"/api/v1/requests/{door}", content=content, headers=credential(door, content) | headers
    )


def assert_is_a_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"error", "error_code", "timestamp"} <= problem.keys()
    assert (problem["status"], problem["error_code"]) == (status, f"HTTP_{status}")
    assert not LEAKS.search(answer.text)
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def counts(house):
    return (await house.rows(COUNTS))[0]


def with_part(part):
    """Return a body whose metadata is `part`, put in as raw JSON."""
    return lambda door: json.dumps(BODIES[door] | {"metadata": "PART"}).replace('"PART"', part).encode()


def changed(**changes):
    return lambda door: json.dumps(BODIES[door] | changes).encode()


def without(name):
    return lambda door: json.dumps({key: value for key, value in BODIES[door].items() if key != name}).encode()


BAD_BODIES = [
    pytest.param(lambda _: b'{"content": ', 400, id="malformed JSON"),
    pytest.param(lambda _: b"", 400, id="no body"),
    pytest.param(lambda _: b"\xff\xfe", 400, id="invalid UTF-8"),
    pytest.param(
        lambda door: changed(content="x")(door).replace(b'"x"', b'"\xff"'), 400, id="invalid UTF-8 in content"
    ),
    pytest.param(lambda door: changed(content="x")(door).replace(b'"x"', rb'"\ud800"'), 400, id="a lone surrogate"),
    pytest.param(with_part('{"a": NaN}'), 400, id="NaN"),
    pytest.param(with_part('{"a": -Infinity}'), 400, id="Infinity"),
    pytest.param(with_part('{"a":' * 5_000 + "1" + "}" * 5_000), 400, id="5,000 levels"),
    pytest.param(with_part('{"a":' * 150 + "1" + "}" * 150), 422, id="150 levels"),
    pytest.param(with_part('{"a":' + "[" * 40 + "]" * 40 + "}"), 422, id="40 lists in each other"),
    pytest.param(with_part('{"a": 1' + "0" * 400 + "}"), 422, id="an integer of 400 digits"),
    pytest.param(with_part('{"a": 1' + "0" * 5_000 + "}"), 400, id="an integer of 5,000 digits"),
    pytest.param(lambda _: b"[]", 422, id="a list"),
    pytest.param(lambda _: b"null", 422, id="null"),
    pytest.param(without("content"), 422, id="no content"),
    pytest.param(without("user_id"), 422, id="no user_id"),
    pytest.param(changed(content=""), 422, id="empty content"),
    pytest.param(changed(content=" \n "), 422, id="blank content"),
    pytest.param(changed(delivery={"channels": ["EMAIL"] * 11}), 422, id="more channels than there are"),
    pytest.param(changed(content=7), 422, id="content is a number"),
    pytest.param(changed(content="x" * 65_537), 422, id="long content"),
    pytest.param(changed(content="a\0b"), 422, id="NUL in content"),
    pytest.param(changed(user_id="a\0b"), 422, id="NUL in user_id"),
    pytest.param(changed(user_id="x" * 256), 422, id="long user_id"),
    pytest.param(changed(metadata={"a": "\0"}), 422, id="NUL in metadata"),
    pytest.param(changed(metadata={"a": [{"\0": 1}]}), 422, id="NUL in a key of metadata"),
    pytest.param(changed(metadata=[]), 422, id="metadata is a list"),
    pytest.param(changed(request_type="x" * 101), 422, id="long request_type"),
    pytest.param(changed(integration_type="PIGEON"), 422, id="unknown integration type"),
    pytest.param(changed(delivery={"channels": ["PIGEON"]}), 422, id="unknown channel"),
    pytest.param(changed(request_manager_session_id="\0"), 422, id="NUL in the session"),
    pytest.param(changed(metadata={"session_id": "x" * 1_000}), 404, id="a session with a long name"),
    pytest.param(changed(request_manager_session_id="unknown"), 404, id="unknown session"),
]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("body", "status"), BAD_BODIES)
async def test_a_bad_body_is_refused(lasting, *, door, body, status):
    before = await counts(lasting)

    answer = await knock(lasting, door, body(door))

    assert_is_a_problem(answer, status)
    assert await counts(lasting) == before


@pytest.mark.parametrize("door", DOORS)
async def test_a_body_of_two_megabytes_is_refused_by_its_announced_length(lasting, door):
    answer = await knock(lasting, door, b"x" * 2_000_000)

    assert_is_a_problem(answer, 413)


@pytest.mark.parametrize("door", DOORS)
async def test_a_body_of_two_megabytes_is_refused_as_it_comes(lasting, door):
    async def pieces():
        for _ in range(32):
            yield b"x" * 65_536

    answer = await lasting.client.post(
        f"/api/v1/requests/{door}", content=pieces(), headers=credential(door, b"") | {"transfer-encoding": "chunked"}
    )

    assert_is_a_problem(answer, 413)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer nobody"},
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer \u00e4".encode("latin-1")},
        {"x-api-key": ""},
        {"x-api-key": "wrong"},
        {"x-user-id": "alice.johnson", "x-forwarded-user": "alice.johnson"},
        {"x-slack-request-timestamp": "now", "x-slack-signature": "v0=1"},
        {"x-slack-request-timestamp": "9" * 30, "x-slack-signature": "v0=1"},
    ],
)
async def test_who_brings_no_credential_of_ours_is_turned_away(lasting, door, headers):
    before = await counts(lasting)

    answer = await lasting.client.post(f"/api/v1/requests/{door}", json=BODIES[door], headers=headers)

    assert_is_a_problem(answer, 401)
    assert await counts(lasting) == before


@pytest.mark.parametrize("door", DOORS)
async def test_nothing_of_a_strangers_body_is_read(lasting, door):
    answer = await lasting.client.post(f"/api/v1/requests/{door}", content=b"{not json")

    assert_is_a_problem(answer, 401)


@pytest.mark.parametrize("path", ["", "/status", "/result"])
@pytest.mark.parametrize(("user", "status"), [("john.doe", 404), ("web-admin", 200), ("alice.johnson", 200)])
async def test_a_request_is_shown_to_its_owner_and_to_administrators(lasting, *, path, user, status):
    request_id = await lasting.value("SELECT request_id FROM request_logs LIMIT 1")

    answer = await lasting.get(f"/api/v1/requests/{request_id}{path}", user=user)

    assert answer.status_code == status
    if status == 404:
        assert_is_a_problem(answer, 404)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/requests/01890000-0000-7000-8000-000000000000", 404),
        ("/api/v1/requests/%00", 404),
        ("/api/v1/requests/%00/result", 404),
        ("/api/v1/requests/%ff/status", 404),
        ("/api/v1/requests/" + "x" * 2_000, 404),
        ("/api/v1/nothing", 404),
        ("/%00", 404),
    ],
)
async def test_what_is_not_there_is_not_found(lasting, path, status):
    assert_is_a_problem(await lasting.get(path), status)


async def test_a_wrong_method_names_the_right_one(lasting):
    answer = await lasting.client.put("/api/v1/requests/web", json=PERSON)

    assert_is_a_problem(answer, 405)
    assert answer.headers["allow"] == "POST"


async def test_state_is_shown_to_nobody_without_a_key(lasting):
    request_id = await lasting.value("SELECT request_id FROM request_logs LIMIT 1")

    assert_is_a_problem(await lasting.client.get(f"/api/v1/requests/{request_id}/result"), 401)


@pytest.mark.parametrize("named", ["john.doe", "john.doe@company.com", "unknown", "web-admin"])
@pytest.mark.parametrize("door", ["web", "cli", "generic"])
async def test_nobody_speaks_for_somebody_else(lasting, door, named):
    before = await counts(lasting)

    assert_is_a_problem(await knock(lasting, door, {"user_id": named}), 403)
    assert await counts(lasting) == before


@pytest.mark.parametrize("tool", ["hr-system", "monitoring-system", "unknown", "SNOW-INTEGRATION"])
async def test_a_tool_key_is_good_for_its_own_tool_only(lasting, tool):
    assert_is_a_problem(await knock(lasting, "tool", {"tool_id": tool}), 403)
    assert_is_a_problem(await knock(lasting, "tool", {}, **{"x-api-key": OTHER_TOOL_KEY}), 403)


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside"])
@pytest.mark.parametrize("door", ["web", "cli", "generic", "tool"])
async def test_an_unusable_idempotency_key_is_refused(lasting, door, key):
    before = await counts(lasting)

    assert_is_a_problem(await knock(lasting, door, {}, **{"idempotency-key": key}), 400)
    assert await counts(lasting) == before


NO_IDS = (
    ("GET", "/v1/models/{}"),
    ("GET", "/api/v1/requests/{}/status"),
    ("GET", "/api/v1/approvals/{}"),
    ("POST", "/api/v1/approvals/{}/decision"),
    ("GET", "/api/v1/handoffs/{}"),
    *(("POST", f"/api/v1/handoffs/{{}}/{what}") for what in ("claim", "reply", "return", "close")),
)


@pytest.mark.parametrize(("method", "path"), NO_IDS)
async def test_an_id_with_a_nul_names_nothing(lasting, method, path):
    body = {"granted": True, "content": "hello"} if method == "POST" else None

    answer = await lasting.client.request(method, path.format("%00"), json=body, headers=as_person("web-admin"))

    assert answer.status_code == 404, answer.text
    assert not LEAKS.search(answer.text)
