from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr

from self_service_agent.connectors.servicenow.client import ServiceNow
from self_service_agent.connectors.servicenow.config import ServiceNowSettings
from self_service_agent.connectors.servicenow.values import NotOrdered, OutcomeUnknown, Refused, Unavailable
from self_service_agent.doubles.servicenow.app import create_app
from self_service_agent.doubles.servicenow.faults import Faults
from self_service_agent.doubles.servicenow.settings import MockServiceNowSettings
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from tests.doubles_servicenow.serving import serving

ALICE = "alice.johnson@company.com"
KEY = SecretStr("the-key")


@asynccontextmanager
async def connected(url, *, api_key=KEY, loopback=True, within=timedelta(seconds=5)):
    policy = EgressPolicy(allow_loopback=loopback)
    async with Client.open(policy=policy, timeout=within, user_agent="test") as http:
        yield ServiceNow(http, base_url=url, api_key=api_key)


@asynccontextmanager
async def a_servicenow(**faults):
    app = create_app(MockServiceNowSettings(mock_servicenow_api_key=KEY), faults=Faults(**faults))
    async with serving(app) as url, connected(url) as servicenow:
        yield servicenow


async def order(servicenow, key="k1"):
    alice = await servicenow.employee_of(ALICE)
    return await servicenow.order_laptop(alice, code="latitude-7450", justification="It is old", key=key)


async def test_a_person_and_their_laptops_are_found():
    async with a_servicenow() as servicenow:
        alice = await servicenow.employee_of(ALICE)
        [laptop] = await servicenow.laptops_of(ALICE)

    assert (alice.name, alice.location, alice.active) == ("Alice Johnson", "NA", True)
    assert (laptop.asset_tag, laptop.model, laptop.laptop_class) == ("DL7420001", "Latitude 7420", "standard")


async def test_a_placed_order_is_found_by_its_key():
    async with a_servicenow() as servicenow:
        placed = await order(servicenow)

        assert await servicenow.order_with("k1", email=ALICE) == placed
        assert await servicenow.order_with("k2", email=ALICE) is None
        assert await servicenow.order_with("k1", email="brian.cole@company.com") is None


async def test_a_lost_answer_has_an_unknown_outcome_and_an_order():
    async with a_servicenow(lose_next=1) as servicenow:
        with pytest.raises(OutcomeUnknown):
            await order(servicenow)

        assert await servicenow.order_with("k1", email=ALICE) is not None


async def test_two_step_checkout_is_not_an_order():
    async with a_servicenow(cart_next=1) as servicenow:
        with pytest.raises(NotOrdered):
            await order(servicenow)


async def test_a_busy_instance_is_unavailable():
    async with a_servicenow(fail_next=1) as servicenow:
        with pytest.raises(Unavailable):
            await servicenow.employee_of(ALICE)


async def test_a_wrong_key_is_refused():
    app = create_app(MockServiceNowSettings(mock_servicenow_api_key=KEY))
    async with serving(app) as url, connected(url, api_key=None) as servicenow:
        with pytest.raises(Refused, match="401"):
            await servicenow.employee_of(ALICE)


async def test_an_instance_that_is_down_is_unavailable_for_reads_and_orders():
    async with a_servicenow() as up:
        alice = await up.employee_of(ALICE)
    async with connected("http://127.0.0.1:9") as down:
        with pytest.raises(Unavailable):
            await down.laptops_of(ALICE)
        with pytest.raises(Unavailable):
            await down.order_laptop(alice, code="x", justification="y", key="k1")


async def test_an_address_inside_is_refused():
    async with a_servicenow() as up:
        alice = await up.employee_of(ALICE)
    async with connected("http://127.0.0.1:9", loopback=False) as inside:
        with pytest.raises(Refused):
            await inside.laptops_of(ALICE)
        with pytest.raises(Refused):
            await inside.order_laptop(alice, code="x", justification="y", key="k1")


async def test_an_order_that_takes_too_long_has_an_unknown_outcome():
    faults = Faults()
    app = create_app(MockServiceNowSettings(), faults=faults)
    async with serving(app) as url, connected(url, within=timedelta(milliseconds=50)) as servicenow:
        alice = await servicenow.employee_of(ALICE)
        faults.delay = timedelta(milliseconds=100)
        with pytest.raises(OutcomeUnknown):
            await servicenow.order_laptop(alice, code="x", justification="y", key="k1")


async def test_settings_name_the_instance_the_key_and_the_item(monkeypatch):
    monkeypatch.setenv("SERVICENOW_API_KEY", KEY.get_secret_value())
    monkeypatch.setenv("SERVICENOW_LAPTOP_REFRESH_ID", "abc123")
    app = create_app(MockServiceNowSettings(mock_servicenow_api_key=KEY))
    async with serving(app) as url, Client.open(policy=EgressPolicy(allow_loopback=True), user_agent="test") as http:
        monkeypatch.setenv("SERVICENOW_INSTANCE_URL", url)
        servicenow = ServiceNow.configured(http, ServiceNowSettings())
        await order(servicenow)

    assert [placed.item_id for placed in app.state.mock.book.orders] == ["abc123"]
