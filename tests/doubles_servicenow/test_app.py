import re
from datetime import timedelta

import httpx2
import pytest
from pydantic import SecretStr

from self_service_agent.doubles.servicenow.app import create_app
from self_service_agent.doubles.servicenow.faults import Faults
from self_service_agent.doubles.servicenow.settings import MockServiceNowSettings
from tests.doubles_servicenow.serving import serving

ORDER_NOW = "/api/sn_sc/servicecatalog/items/laptop-refresh/order_now"


def a_client(*, faults=None, **settings):
    app = create_app(MockServiceNowSettings(**settings), faults=faults)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://servicenow")


def an_order(**changes):
    variables = {"laptop_choices": "latitude-7450", "who_is_this_request_for": "1001", **changes}
    return {"sysparm_quantity": 1, "variables": {name: value for name, value in variables.items() if value}}


async def read(client, table, query="", **params):
    answer = await client.get(f"/api/now/table/{table}", params={"sysparm_query": query, **params})
    return answer.json()["result"]


async def test_a_person_is_found_by_email():
    async with a_client() as client:
        found = await read(client, "sys_user", "email=alice.johnson@company.com")

    assert found == [
        {
            "sys_id": "1001",
            "name": "Alice Johnson",
            "email": "alice.johnson@company.com",
            "user_name": "alice.johnson",
            "location": {"display_value": "NA", "value": "NA"},
            "active": "true",
            "manager": {"display_value": "Brian Cole", "value": "1002"},
        }
    ]


async def test_an_unknown_person_is_an_empty_result():
    async with a_client() as client:
        assert await read(client, "sys_user", "email=nobody@company.com") == []


@pytest.mark.parametrize("query", ["assigned_to=1001", "assigned_to.email=alice.johnson@company.com"])
async def test_laptops_are_found_by_their_person(query):
    async with a_client() as client:
        [laptop] = await read(client, "cmdb_ci_computer", query)

    assert (laptop["asset_tag"], laptop["model_id"]["display_value"], laptop["u_laptop_class"]) == (
        "DL7420001",
        "Latitude 7420",
        "standard",
    )
    assert "assigned_to.email" not in laptop


async def test_fields_and_limit_are_obeyed():
    async with a_client() as client:
        found = await read(client, "cmdb_ci_computer", sysparm_fields="asset_tag,assigned_to.email", sysparm_limit=1)

    assert found == [{"asset_tag": "DL7420001", "assigned_to.email": "alice.johnson@company.com"}]


async def test_an_order_gets_a_number_and_is_listed_by_its_key():
    async with a_client() as client:
        placed = (await client.post(ORDER_NOW, json=an_order(correlation_id="k1"))).json()["result"]
        [item] = await read(client, "sc_req_item", "correlation_id=k1^requested_for=1001")

    assert re.fullmatch(r"REQ\d{7}", placed["request_number"])
    assert {"sys_id", "state", "stage", "opened_at", "requested_for", "variables"} <= placed.keys()
    assert item["request"]["display_value"] == placed["request_number"]
    assert item["requested_for"] == {"display_value": "Alice Johnson", "value": "1001"}


async def test_an_order_for_a_stranger_is_listed_as_given():
    async with a_client() as client:
        await client.post(ORDER_NOW, json=an_order(who_is_this_request_for="stranger"))
        [item] = await read(client, "sc_req_item")

    assert item["requested_for"] == {"display_value": "stranger", "value": "stranger"}


@pytest.mark.parametrize("missing", ["laptop_choices", "who_is_this_request_for"])
async def test_a_missing_variable_is_named(missing):
    async with a_client() as client:
        answer = await client.post(ORDER_NOW, json=an_order(**{missing: None}))

    assert answer.status_code == 400
    assert missing in answer.json()["error"]["detail"]
    assert missing in answer.json()["detail"]


async def test_an_unsupported_query_is_refused():
    async with a_client() as client:
        answer = await client.get("/api/now/table/sys_user", params={"sysparm_query": "emailSTARTSWITHalice"})

    assert answer.status_code == 400


@pytest.mark.parametrize(("key", "status"), [("right", 200), ("wrong", 401), (None, 401)])
async def test_a_configured_key_is_required(key, status):
    headers = {"x-sn-apikey": key} if key else {}
    async with a_client(mock_servicenow_api_key=SecretStr("right")) as client:
        answer = await client.get("/api/now/table/sys_user", headers=headers)
        health = await client.get("/health")

    assert answer.status_code == status
    assert health.json()["service"] == "mock-servicenow"


async def test_the_next_calls_fail_as_asked():
    async with a_client(faults=Faults(fail_next=2, status=500)) as client:
        statuses = [(await client.get("/api/now/table/sys_user")).status_code for _ in range(3)]

    assert statuses == [500, 500, 200]


async def test_an_answer_waits_as_asked():
    async with a_client(faults=Faults(delay=timedelta(milliseconds=2))) as client:
        assert (await client.get("/api/now/table/sys_user")).status_code == 200


async def test_two_step_checkout_orders_nothing():
    async with a_client(faults=Faults(cart_next=1)) as client:
        answer = await client.post(ORDER_NOW, json=an_order())
        ordered = await read(client, "sc_req_item")

    assert answer.json()["result"].keys() == {"cart_id"}
    assert ordered == []


async def test_a_lost_answer_leaves_an_order_behind():
    app = create_app(MockServiceNowSettings(), faults=Faults(lose_next=1))
    async with serving(app) as url, httpx2.AsyncClient(base_url=url) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.post(ORDER_NOW, json=an_order(correlation_id="k1"))
        ordered = await read(client, "sc_req_item", "correlation_id=k1")

    assert len(ordered) == 1
