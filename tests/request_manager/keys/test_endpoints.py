"""Keys are made, shown once, rotated with an overlap and revoked, by those who may."""

import asyncio

import pytest
from structlog.testing import capture_logs

from self_service_agent.kit.notifications import Notifier
from self_service_agent.request_manager.keys.text import KeyKind, kind_of
from self_service_agent.shared_models.users import user_id_of
from tests.request_manager.audit.builders import eventually
from tests.request_manager.keys.house import DEVELOPMENT, ENVIRONMENT, open_house

ADMIN = {"by": "web-admin", "roles_of_caller": ["user", "admin"]}
AS_ADMIN = {"by": "web-admin", "roles": ["user", "admin"]}
ALICE = {"login": "alice.johnson", "email": "alice.johnson@company.com", "user_id": user_id_of("alice.johnson")}


async def ids(house, **who):
    return [key["key_id"] for key in (await house.call("GET", **who)).json()["keys"]]


async def test_a_new_key_works_and_is_shown_once(house):
    made = await house.made(name="laptop", lifetime_days=30)
    shown = (await house.call("GET", f"/{made['key_id']}")).json()

    text = made.pop("key")
    assert shown == made
    assert (shown["user"], shown["roles"], shown["scopes"], shown["state"]) == (ALICE, ["user"], [], "active")
    assert (shown["hint"], shown["name"], shown["created_by"]) == (text[:9], "laptop", ALICE["user_id"])
    assert kind_of(text) is KeyKind.PERSON
    assert (await house.keys.find(text)).user_id == ALICE["user_id"]


async def test_an_answer_with_a_key_stays_out_of_caches(house):
    made = await house.call("POST", json={"name": "laptop"})
    rotated = await house.call("POST", f"/{made.json()['key_id']}/rotate")

    assert [answer.headers["cache-control"] for answer in (made, rotated)] == ["no-store", "no-store"]


async def test_no_key_is_kept_as_text(house):
    made = await house.made()
    rotated = (await house.call("POST", f"/{made['key_id']}/rotate")).json()
    await house.call("DELETE", f"/{made['key_id']}")
    await house.audit.flush()

    kept = str(await house.pool.fetch("SELECT k::text FROM api_keys k UNION ALL SELECT a::text FROM audit_log a"))
    assert made["key"][9:] not in kept
    assert rotated["key"][9:] not in kept
    assert made["hint"] in kept


@pytest.mark.parametrize("name", ["alice.johnson", "Alice.Johnson@company.com", ALICE["user_id"]])
async def test_a_person_makes_keys_for_themselves_by_any_of_their_names(house, name):
    assert (await house.made(user=name))["user"] == ALICE


@pytest.mark.parametrize(
    ("body", "caller"),
    [
        pytest.param({"user": "john.doe"}, {}, id="for somebody else"),
        pytest.param({"tool_id": "monitor"}, {}, id="for a tool"),
        pytest.param({"roles": ["user", "admin"]}, {}, id="with more roles"),
        pytest.param({"scopes": ["requests:read"]}, {"scopes": ["requests:read"]}, id="with a key that may not"),
        pytest.param({}, {"scopes": ["keys"]}, id="without the limits of the key in use"),
    ],
)
async def test_a_person_does_not_rise_above_themselves(house, body, caller):
    answer = await house.call("POST", json={"name": "mine", **body}, **caller)

    assert answer.status_code == 403
    assert await house.pool.fetchval("SELECT count(*) FROM api_keys") == 0
    (entry,) = await house.entries()
    assert (entry["action"], entry["outcome"], entry["actor"]) == ("key.create", "refused", ALICE["user_id"])


async def test_an_administrator_makes_keys_for_anybody(house):
    person = await house.made(**ADMIN, user="New.Person@company.com", roles=["operator"])
    known = await house.made(**ADMIN, user=person["user"]["user_id"])
    tool = await house.made(**ADMIN, tool_id="monitor")

    assert person["user"]["email"] == "new.person@company.com"
    assert (person["roles"], known["user"]) == (["operator"], person["user"])
    assert (tool["tool_id"], tool["user"], tool["roles"]) == ("monitor", None, ["service"])
    assert kind_of(tool["key"]) is KeyKind.TOOL
    assert (await house.keys.find(tool["key"])).tool_id == "monitor"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"name": ""}, id="no name"),
        pytest.param({"name": "a\x00b"}, id="NUL"),
        pytest.param({"user": "john.doe", "tool_id": "monitor"}, id="two owners"),
        pytest.param({"tool_id": "monitor", "roles": ["admin"]}, id="a tool with power"),
        pytest.param({"roles": ["service"]}, id="a person as a service"),
        pytest.param({"roles": ["king"]}, id="unknown role"),
        pytest.param({"scopes": ["everything"]}, id="unknown scope"),
        pytest.param({"expires_at": "2020-01-01T00:00:00Z"}, id="over before it began"),
        pytest.param({"expires_at": "2999-01-01T00:00:00"}, id="no time zone"),
        pytest.param({"expires_at": "2999-01-01T00:00:00Z", "lifetime_days": 1}, id="two ends"),
        pytest.param({"lifetime_days": 0}, id="no life"),
        pytest.param({"user": "00000000-0000-0000-0000-000000000000"}, id="nobody's id"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(house, body):
    answer = await house.call("POST", json={"name": "mine", **body}, **AS_ADMIN)

    assert answer.status_code == 422


async def test_a_rotated_key_goes_on_for_the_overlap(house):
    made = await house.made(scopes=["requests:write"], lifetime_days=2)

    rotated = (await house.call("POST", f"/{made['key_id']}/rotate", json={"overlap_seconds": 3600})).json()
    old = (await house.call("GET", f"/{made['key_id']}")).json()

    assert await house.keys.find(made["key"]) is not None
    assert (await house.keys.find(rotated["key"])).key_id == rotated["key_id"] == old["replaced_by"]
    same = ("name", "user", "roles", "scopes")
    assert [rotated[name] for name in same] == [made[name] for name in same]
    overlap = await house.pool.fetchval(
        "SELECT extract(epoch FROM o.expires_at - n.created_at)::int FROM api_keys o JOIN api_keys n"
        " ON n.key_id = o.replaced_by"
    )
    assert overlap == 3600


async def test_a_rotation_without_overlap_ends_the_old_key(house):
    made = await house.made()
    await house.keys.find(made["key"])

    rotated = (await house.call("POST", f"/{made['key_id']}/rotate", json={"overlap_seconds": 0})).json()

    assert await house.keys.find(made["key"]) is None
    assert await house.keys.find(rotated["key"]) is not None
    assert (await house.call("GET", f"/{made['key_id']}")).json()["state"] == "expired"


async def test_of_simultaneous_rotations_one_makes_a_key(house):
    made = await house.made()
    async with house.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM api_keys FOR UPDATE")
        asked = [asyncio.ensure_future(house.call("POST", f"/{made['key_id']}/rotate")) for _ in range(5)]
        await eventually(lambda: connection.fetchval("SELECT count(*) >= 5 FROM pg_locks WHERE NOT granted"))

    answers = await asyncio.gather(*asked)

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await house.pool.fetchval("SELECT count(*) FROM api_keys") == 2


async def test_a_rotation_does_not_raise_anybody(house):
    made = await house.made(**ADMIN, user="alice.johnson", roles=["user", "admin"])

    as_user = await house.call("POST", f"/{made['key_id']}/rotate")
    limited = await house.call("POST", f"/{made['key_id']}/rotate", scopes=["keys"], roles=["user", "admin"])

    assert (as_user.status_code, limited.status_code) == (403, 403)
    assert [entry["outcome"] for entry in await house.entries()] == ["allowed", "refused", "refused"]


async def test_a_revoked_key_is_over_at_once_and_for_ever(house):
    made = await house.made()
    await house.keys.find(made["key"])

    first = await house.call("DELETE", f"/{made['key_id']}")
    again = await house.call("DELETE", f"/{made['key_id']}")

    assert house.keys.cached(made["key"]) is None
    assert await house.keys.find(made["key"]) is None
    assert (first.status_code, first.json()["state"]) == (200, "revoked")
    assert first.json()["revoked_at"] == again.json()["revoked_at"]
    assert [entry["action"] for entry in await house.entries()] == ["key.create", "key.revoke"]
    assert (await house.call("POST", f"/{made['key_id']}/rotate")).status_code == 409


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/rotate")])
async def test_a_foreign_key_looks_like_none_at_all(house, *, method, path):
    made = await house.made()

    foreign = await house.call(method, f"/{made['key_id']}{path}", by="mallory")
    missing = await house.call(method, f"/00000000-0000-0000-0000-000000000000{path}", by="mallory")

    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["detail"] == missing.json()["detail"]
    assert (await house.call(method, f"/{made['key_id']}{path}", **AS_ADMIN)).is_success


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("GET", "/1"), ("DELETE", "/1")])
async def test_nobody_comes_in_without_a_credential(house, *, method, path):
    answer = await house.client.request(method, f"/api/v1/keys{path}")

    assert answer.status_code == 401


async def test_everybody_sees_their_own_keys_and_an_administrator_all(house):
    alices, johns = await house.made(), await house.made(by="john.doe")
    configured = [key.key_id for key in house.keys.environment]
    (alices_configured,) = [key.key_id for key in house.keys.environment if key.owner.email is not None]

    assert await ids(house) == [alices_configured, alices["key_id"]]
    assert await ids(house, by="john.doe") == [johns["key_id"]]
    assert await ids(house, **AS_ADMIN) == [*configured, johns["key_id"], alices["key_id"]]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 9, 10])
async def test_pages_hold_every_key_once(pool, limit):
    async with open_house(pool, environment=DEVELOPMENT | ENVIRONMENT) as house:
        for _ in range(4):
            await house.made()
        everything, pages, cursor = await ids(house, **AS_ADMIN), [], ""
        while cursor is not None:
            query = f"?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
            answer = (await house.call("GET", query, **AS_ADMIN)).json()
            pages.append([key["key_id"] for key in answer["keys"]])
            cursor = answer["next_cursor"]

    assert [key_id for page in pages for key_id in page] == everything
    assert len(everything) == 9
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert pages[-1] != []


async def test_a_key_of_the_environment_is_changed_where_it_is_set(house):
    (key,) = [key for key in house.keys.environment if key.owner.email is not None]

    revoked = await house.call("DELETE", f"/{key.key_id}")
    rotated = await house.call("POST", f"/{key.key_id}/rotate")
    shown = (await house.call("GET", f"/{key.key_id}")).json()

    assert (revoked.status_code, rotated.status_code) == (409, 409)
    assert "WEB_API_KEYS" in revoked.json()["detail"]
    assert (shown["origin"], shown["hint"], shown["created_at"]) == ("environment", "ali", None)


async def test_every_act_is_on_record_with_who_and_from_where(house):
    trace = "0af7651916cd43dd8448eb211c80319c"
    house.client.headers["traceparent"] = f"00-{trace}-b7ad6b7169203331-01"
    made = await house.made(scopes=["sessions"])
    await house.call("POST", f"/{made['key_id']}/rotate")
    await house.call("DELETE", f"/{made['key_id']}", by="mallory")

    entries = await house.entries()
    told = [(entry["action"], entry["actor"], entry["outcome"], entry["target"]) for entry in entries]
    assert told == [
        ("key.create", ALICE["user_id"], "allowed", made["key_id"]),
        ("key.rotate", ALICE["user_id"], "allowed", made["key_id"]),
        ("key.revoke", user_id_of("mallory"), "refused", made["key_id"]),
    ]
    assert {(entry["address"], entry["correlation_id"]) for entry in entries} == {("192.0.2.7", trace)}


async def test_an_act_that_cannot_be_recorded_does_not_happen(house):
    await house.pool.execute("ALTER TABLE audit_log ADD CONSTRAINT full_log CHECK (false) NOT VALID")

    with capture_logs() as logs:
        answer = await house.call("POST", json={"name": "laptop"})

    assert (answer.status_code, logs[0]["event"]) == (500, "http.request_failed")
    assert await house.pool.fetchval("SELECT count(*) FROM api_keys") == 0


async def test_another_process_hears_of_a_revocation(database, pool):
    here, there = Notifier(), Notifier()
    hello = here.wakeup("anything")
    async with (
        here.running(database),
        there.running(database),
        open_house(pool, notifier=here) as first,
        open_house(pool, notifier=there) as second,
    ):
        await hello.wait()
        made = await first.made()
        await second.keys.find(made["key"])
        forgotten = there.wakeup("api-keys")

        await first.call("DELETE", f"/{made['key_id']}")

        async with asyncio.timeout(5):
            await forgotten.wait()
        assert await second.keys.find(made["key"]) is None
