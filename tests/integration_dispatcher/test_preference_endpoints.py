import pytest

from self_service_agent.shared_models.users import find_or_add, user_id_of
from tests.integration_dispatcher.builders import ALICE

USERS = "/api/v1/users"
DEFAULT = {
    "enabled": True, "priority": 5, "retry_count": 1, "retry_delay_seconds": 10,
    "config": {"format": "html", "token": "********"},
}  # fmt: skip
BODY = {
    "integration_type": "TEST", "enabled": True, "config": {"format": "text", "token": "mine"}, "priority": 1,
    "retry_count": 5, "retry_delay_seconds": 30,
}  # fmt: skip


async def test_the_defaults_are_shown_without_their_secrets(api):
    answer = await api.get("/api/v1/integration-defaults")

    assert answer.json() == {"default_integrations": {"TEST": DEFAULT}}


@pytest.mark.parametrize("name", ["nobody", "nobody@company.com", "6f1b7a52-2f0e-5d0b-9a39-6c0c6d0f4f55", "x" * 255])
async def test_somebody_never_seen_has_the_defaults_and_is_not_stored(api, pool, name):
    answer = await api.get(f"{USERS}/{name}/integration-defaults")

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "user_id": name,
            "user_overrides": {},
            "effective_configs": {"TEST": DEFAULT},
            "using_integration_defaults": True,
        },
    )
    assert (await api.get(f"{USERS}/{name}/integrations")).json() == []
    assert await pool.fetchval("SELECT count(*) FROM users") == 0


async def test_an_override_is_merged_into_what_holds(api):
    created = await api.post(f"{USERS}/{ALICE}/integrations", json=BODY)
    answer = await api.get(f"{USERS}/{ALICE}/integration-defaults")

    values = {name: BODY[name] for name in ("enabled", "priority", "retry_count", "retry_delay_seconds")}
    shown = {**values, "config": {"format": "text", "token": "********"}}
    assert {**created.json(), **shown, "user_id": ALICE, "integration_type": "TEST"} == created.json()
    assert answer.json() == {
        "user_id": ALICE,
        "user_overrides": {"TEST": shown},
        "effective_configs": {"TEST": shown},
        "using_integration_defaults": False,
    }


async def test_a_put_changes_what_it_names_and_keeps_a_masked_secret(api, pool):
    await api.post(f"{USERS}/{ALICE}/integrations", json=BODY)

    change = {"enabled": False, "retry_count": None, "config": {"token": "********"}}
    answer = await api.put(f"{USERS}/{ALICE}/integrations/test", json=change)

    assert (answer.json()["enabled"], answer.json()["retry_count"], answer.json()["priority"]) == (False, None, 1)
    assert await pool.fetchval("SELECT config ->> 'token' FROM user_integration_configs") == "mine"


async def test_a_second_post_replaces_the_first(api):
    await api.post(f"{USERS}/{ALICE}/integrations", json=BODY)

    await api.post(f"{USERS}/{ALICE}/integrations", json={"integration_type": "test"})
    (stored,) = (await api.get(f"{USERS}/{ALICE}/integrations")).json()

    assert (stored["enabled"], stored["priority"], stored["config"]) == (True, None, {})


@pytest.mark.parametrize(
    ("name", "user_id", "login", "email"),
    [
        pytest.param("Bob", user_id_of("bob"), "bob", None, id="login"),
        pytest.param("Bob@company.com", user_id_of("bob@company.com"), None, "bob@company.com", id="e-mail"),
        pytest.param(
            "6f1b7a52-2f0e-5d0b-9a39-6c0c6d0f4f55", "6f1b7a52-2f0e-5d0b-9a39-6c0c6d0f4f55", None, None, id="uuid"
        ),
    ],
)
async def test_the_first_override_stores_the_person(api, pool, *, name, user_id, login, email):
    await api.post(f"{USERS}/{name}/integrations", json=BODY)

    rows = await pool.fetch("SELECT user_id, login, primary_email FROM users")
    assert [tuple(row) for row in rows] == [(user_id, login, email)]


async def test_one_person_has_one_set_of_overrides_under_every_name(api, pool):
    person = await find_or_add(pool, login="carol", email="carol@company.com")

    await api.post(f"{USERS}/carol@company.com/integrations", json=BODY)

    for name in ("carol", "CAROL", "Carol@Company.com", person.user_id):
        assert len((await api.get(f"{USERS}/{name}/integrations")).json()) == 1


async def test_a_deleted_override_is_gone(api):
    await api.post(f"{USERS}/{ALICE}/integrations", json=BODY)

    deleted = await api.delete(f"{USERS}/{ALICE}/integrations/TEST")
    again = await api.delete(f"{USERS}/{ALICE}/integrations/TEST")

    assert (deleted.status_code, list(deleted.json())) == (200, ["message"])
    assert (again.status_code, again.json()["detail"]) == (404, "Integration configuration not found")
    assert (await api.put(f"{USERS}/{ALICE}/integrations/TEST", json={})).status_code == 404


async def test_a_reset_tells_how_many_overrides_it_deleted(api):
    await api.post(f"{USERS}/{ALICE}/integrations", json=BODY)

    counts = [(await api.post(f"{USERS}/{ALICE}/integration-defaults/reset")).json()["deleted_configs"] for _ in "ab"]

    assert counts == [1, 0]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        pytest.param(f"{USERS}/{ALICE}/integrations", {"integration_type": "ZAMMAD"}, id="unknown type"),
        pytest.param(f"{USERS}/{ALICE}/integrations", {"integration_type": "WEB"}, id="answers reach the caller"),
        pytest.param(f"{USERS}/{ALICE}/integrations", {"integration_type": "TEAMS"}, id="no such channel here"),
        pytest.param(f"{USERS}/{ALICE}/integrations", {"priority": 0}, id="no priority"),
        pytest.param(f"{USERS}/{ALICE}/integrations", {"config": {"a": "\x00"}}, id="NUL in the configuration"),
        pytest.param(f"{USERS}/a%00b/integrations", {}, id="NUL in the name"),
        pytest.param(f"{USERS}/{'x' * 256}/integrations", {}, id="too long a name"),
    ],
)
async def test_an_override_that_makes_no_sense_is_refused(api, path, change):
    assert (await api.post(path, json={**BODY, **change})).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("GET", "integration-defaults", None, id="defaults"),
        pytest.param("GET", "integrations", None, id="list"),
        pytest.param("POST", "integrations", BODY, id="create"),
        pytest.param("PUT", "integrations/TEST", {}, id="update"),
        pytest.param("DELETE", "integrations/TEST", None, id="delete"),
        pytest.param("POST", "integration-defaults/reset", None, id="reset"),
        pytest.param("GET", "deliveries", None, id="deliveries"),
        pytest.param("GET", "explain", None, id="explain"),
    ],
)
async def test_a_persons_doors_open_to_themselves_only(api, *, method, path, body):
    url = f"{USERS}/{ALICE}/{path}"
    nobody = await api.request(method, url, json=body, headers={"x-caller": "mallory"})
    own = await api.request(method, url, json=body, headers={"x-caller": ALICE})
    del api.headers["x-caller"]
    unknown = await api.request(method, url, json=body)

    assert (unknown.status_code, nobody.status_code) == (401, 403)
    assert own.status_code in {200, 404}
