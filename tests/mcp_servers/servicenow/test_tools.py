import asyncio
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from self_service_agent.connectors.mcp.client import ToolServer
from self_service_agent.connectors.mcp.protocol import ToolInDoubt, ToolRefused, ToolUnavailable
from self_service_agent.connectors.servicenow.client import ServiceNow
from self_service_agent.kit import clock
from self_service_agent.kit.http.client import Client as HttpClient
from self_service_agent.mcp_servers.servicenow.app import create_app
from self_service_agent.mcp_servers.servicenow.desk import Desk
from self_service_agent.mcp_servers.servicenow.tools import create_server
from tests.doubles_servicenow.serving import serving
from tests.mcp_servers.servicenow.house import ALICE, BRIAN, LOOPBACK, TOKENS, House, a_house, settings_for


async def test_a_person_sees_their_own_laptops():
    async with a_house() as house:
        info = await house.call("get_employee_laptop_info")

    [laptop] = info.pop("laptops")
    assert info == {"employee_name": "Alice Johnson", "email": ALICE, "region": "NA"}
    assert laptop.keys() == {"model", "serial_number", "asset_tag", "laptop_class", "purchase_date"}
    assert (laptop["asset_tag"], laptop["laptop_class"]) == ("DL7420001", "standard")


async def test_a_ticket_is_opened_once_per_key():
    async with a_house() as house:
        first = await house.open_ticket()
        second = await house.open_ticket()
        other = await house.open_ticket(idempotency_key="k2")

        assert (first["duplicate"], second) == (False, {**first, "duplicate": True})
        assert other["request_number"] != first["request_number"]
        assert len(house.book.orders) == 2


async def test_the_same_key_at_the_same_time_opens_one_ticket():
    async with a_house() as house:
        opened = await asyncio.gather(*(house.open_ticket() for _ in range(10)))

        assert sorted(ticket["duplicate"] for ticket in opened) == [False] + [True] * 9
        assert len(house.book.orders) == 1


async def test_an_opened_ticket_is_found_by_its_key_and_owner_only():
    async with a_house() as house:
        opened = await house.open_ticket()

        assert await house.call("find_laptop_refresh_ticket", idempotency_key="k1") == {
            "request_number": opened["request_number"]
        }
        assert await house.call("find_laptop_refresh_ticket", idempotency_key="k2") == {"request_number": None}
        assert await house.call("find_laptop_refresh_ticket", idempotency_key="k1", subject=BRIAN) == {
            "request_number": None
        }


@pytest.mark.parametrize(
    ("subject", "changes"),
    [
        pytest.param(ALICE, {"employee_name": "Brian Cole"}, id="somebody else's name"),
        pytest.param(BRIAN, {}, id="somebody else's credential"),
        pytest.param("natalia.rojas@company.com", {"employee_name": "Natalia Rojas"}, id="a leaver"),
        pytest.param("nobody@company.com", {}, id="a stranger"),
        pytest.param(ALICE, {"idempotency_key": "k^x=1"}, id="a key that would add a condition"),
        pytest.param(ALICE, {"servicenow_laptop_code": ""}, id="no laptop"),
    ],
)
async def test_what_may_not_be_ordered_is_refused(subject, changes):
    async with a_house() as house:
        with pytest.raises(ToolRefused):
            await house.open_ticket(subject=subject, **changes)

        assert house.book.orders == ()


async def test_two_step_checkout_is_refused():
    async with a_house() as house:
        house.faults.cart_next = 1
        with pytest.raises(ToolRefused, match="without a request number"):
            await house.open_ticket()


async def test_a_busy_instance_is_unavailable():
    async with a_house() as house:
        house.faults.fail_next = 1
        with pytest.raises(ToolUnavailable):
            await house.open_ticket()

        assert (await house.open_ticket())["duplicate"] is False


async def test_an_order_whose_answer_was_lost_is_found_again():
    async with a_house() as house:
        house.faults.lose_next = 1

        ticket = await house.open_ticket()

        assert [order.number for order in house.book.orders] == [ticket["request_number"]]


async def test_an_order_that_cannot_be_found_again_is_in_doubt():
    async with a_house() as house:
        house.faults.status = 502
        house.faults.spare_next = 2  # the look-ups of person and key
        house.faults.fail_next = 2  # the order, and the look-up that should settle it
        with pytest.raises(ToolInDoubt):
            await house.open_ticket()

        assert house.book.orders == ()
        assert (await house.open_ticket())["duplicate"] is False


async def test_the_tools_tell_what_they_do():
    async with a_house() as house, official_client(house.url) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}

    hints = {name: (tool.annotations.read_only_hint, tool.annotations.destructive_hint) for name, tool in tools.items()}
    writing = {"open_laptop_refresh_ticket", "open_service_request", "add_ticket_comment"}
    assert len(tools) == 10
    assert hints == {name: (name not in writing, False) for name in tools}
    assert all(tool.annotations.idempotent_hint and tool.output_schema for tool in tools.values())
    assert list(tools["get_employee_laptop_info"].input_schema["properties"]) == []
    assert tools["open_laptop_refresh_ticket"].input_schema["required"] == [
        "employee_name",
        "business_justification",
        "servicenow_laptop_code",
        "idempotency_key",
    ]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_official_client_can_call_the_tools(mode):
    async with a_house() as house, official_client(house.url, mode=mode) as client:
        info = await client.call_tool("get_employee_laptop_info")
        refused = await client.call_tool("find_laptop_refresh_ticket", {"idempotency_key": "k^1"})

    assert info.structured_content["employee_name"] == "Alice Johnson"
    assert (refused.is_error, refused.structured_content["kind"]) == (True, "refused")


async def test_the_app_can_be_mounted_in_a_bigger_one():
    tools = create_app(settings_for("http://127.0.0.1:9"))

    @asynccontextmanager
    async def lifespan(_):
        async with tools.router.lifespan_context(tools):
            yield

    bigger = FastAPI(lifespan=lifespan)
    bigger.mount("/tools/servicenow", tools)
    async with serving(bigger) as url, official_client(f"{url}/tools/servicenow/mcp") as client:
        assert len((await client.list_tools()).tools) == 10


async def test_an_instance_that_is_down_is_unavailable():
    async with (
        serving(create_app(settings_for("http://127.0.0.1:9"))) as url,
        ToolServer.open(f"{url}/mcp", TOKENS, policy=LOOPBACK) as server,
    ):
        house = House(url=url, tools=server, book=None, journal=None, faults=None)
        with pytest.raises(ToolUnavailable):
            await house.call("get_employee_laptop_info")


async def test_a_call_that_went_round_the_gate_is_refused():
    @asynccontextmanager
    async def lifespan(_):
        async with HttpClient.open(policy=LOOPBACK, user_agent="test") as http:
            yield Desk(ServiceNow(http, base_url="http://127.0.0.1:9", api_key=None))

    async with Client(create_server(lifespan)) as client:
        result = await client.call_tool("get_employee_laptop_info")

    assert (result.is_error, result.structured_content["kind"]) == (True, "refused")


@asynccontextmanager
async def official_client(url, mode="auto"):
    token = TOKENS.issue(service="agent-service", audience="mcp-servicenow", subject=ALICE, now=clock.now())
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client
