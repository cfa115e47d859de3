import pytest

from tests.integration_dispatcher.builders import ALICE, EMAIL, SLACK, TEST, WEBHOOK, a_config, override

INTEGRATIONS = f"/api/v1/users/{ALICE}/integrations"
IMPOSSIBLE = [
    pytest.param(EMAIL, {"email_address": "s3cret@y.com\r\nBcc: evil@x.com"}, "email_address", id="a second header"),
    pytest.param(EMAIL, {"email_address": "s3cret@y.com, b@y.com"}, "email_address", id="two addresses"),
    pytest.param(WEBHOOK, {"headers": {"X-A": "a\r\nX-B: s3cret"}}, "headers.X-A", id="a header in a header"),
    pytest.param(WEBHOOK, {"url": "gopher://s3cret"}, "url", id="not the web"),
    pytest.param(WEBHOOK, {"url": "http://localhost:9000/x\r\nX: s3cret"}, "url", id="a header in the url"),
    pytest.param(WEBHOOK, {"auth_type": "basic", "password": "s3cret"}, "config", id="half a credential"),
    pytest.param(TEST, {"outcome": "s3cret"}, "outcome", id="no such outcome"),
]


@pytest.fixture
def planning(planning):
    planning.defaults.update({kind: a_config() for kind in (EMAIL, WEBHOOK, SLACK)})
    return planning


@pytest.mark.parametrize(("kind", "config", "field"), IMPOSSIBLE)
async def test_an_override_that_could_never_work_is_not_stored(api, pool, *, kind, config, field):
    answer = await api.post(INTEGRATIONS, json={"integration_type": kind, "config": config})

    assert (answer.status_code, answer.json()["detail"].partition(":")[0]) == (422, field)
    assert "s3cret" not in answer.text
    assert await pool.fetchval("SELECT count(*) FROM user_integration_configs") == 0


@pytest.mark.parametrize(("kind", "config", "field"), IMPOSSIBLE)
async def test_an_override_is_not_changed_into_one_that_could_never_work(api, *, kind, config, field):
    before = (await api.post(INTEGRATIONS, json={"integration_type": kind})).json()

    answer = await api.put(f"{INTEGRATIONS}/{kind}", json={"config": config})

    assert (answer.status_code, answer.json()["detail"].partition(":")[0]) == (422, field)
    assert "s3cret" not in answer.text
    assert (await api.get(INTEGRATIONS)).json() == [before]


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        pytest.param(EMAIL, {"format": "text"}, id="the address is the person's own"),
        pytest.param(WEBHOOK, {"headers": {"X-A": "a"}}, id="the url is the installation's own"),
        pytest.param(WEBHOOK, {"webhook_url": "http://localhost:9000/x?y=1"}, id="the older name of the url"),
        pytest.param(SLACK, {"url": "gopher://x"}, id="a channel that is not installed"),
    ],
)
async def test_an_override_that_may_work_is_stored(api, kind, config):
    answer = await api.post(INTEGRATIONS, json={"integration_type": kind, "config": config})

    assert (answer.status_code, answer.json()["config"]) == (200, config)


async def test_a_secret_sent_back_masked_is_checked_as_what_it_stands_for(api):
    config = {"url": "https://x.example", "auth_type": "bearer", "token": "t0ken"}
    await api.post(INTEGRATIONS, json={"integration_type": WEBHOOK, "config": config})

    answer = await api.put(f"{INTEGRATIONS}/{WEBHOOK}", json={"config": {**config, "token": "********"}})

    assert answer.status_code == 200


async def test_an_override_that_was_stored_broken_can_be_switched_off(api, pool):
    await override(pool, WEBHOOK, config={"url": "gopher://x"})

    answer = await api.put(f"{INTEGRATIONS}/{WEBHOOK}", json={"enabled": False})

    assert (answer.status_code, answer.json()["enabled"]) == (200, False)
