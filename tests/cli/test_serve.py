"""The services in processes of their own, over one PostgreSQL."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx2
import pytest

from self_service_agent.shared_clients.protocol import Final, Token
from self_service_agent.shared_clients.request_manager import RequestManagerClient

from .command import serving, ssa

ALICE = "alice.johnson"
SAID = ("Hi, I need a new laptop", "What happens to my old laptop?", "2", "Actually, I would rather take the MacBook")
NAMES = ("request-manager", "integration-dispatcher", "agent-service", "mcp-servicenow", "mock-servicenow")


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """Yield the addresses of the five services by their names."""
    home = tmp_path_factory.mktemp("apart")
    assert ssa("migrate", home=home).returncode == 0
    with ExitStack() as stack, ThreadPoolExecutor() as pool:

        def start(name, **variables):
            return pool.submit(lambda: stack.enter_context(serving("serve", name, home=home, **variables)))

        started = {name: start(name) for name in ("mock-servicenow", "request-manager", "integration-dispatcher")}
        mock = started["mock-servicenow"].result()
        started["mcp-servicenow"] = start("mcp-servicenow", SERVICENOW_INSTANCE_URL=mock)
        tools = started["mcp-servicenow"].result()
        started["agent-service"] = start("agent-service", MCP_SERVICENOW_URL=f"{tools}/mcp")
        yield {name: future.result() for name, future in started.items()}


@pytest.mark.parametrize("name", NAMES)
async def test_every_service_says_who_it_is_and_that_it_is_ready(services, name):
    async with httpx2.AsyncClient(base_url=services[name]) as http:
        health = (await http.get("/health")).json()
        ready = await http.get("/readyz")

    assert (health["service"], health["status"], ready.status_code) == (name, "healthy", 200)


async def test_a_conversation_crosses_the_processes_without_waiting_for_a_sweep(services):
    seconds = []
    async with RequestManagerClient(services["request-manager"], ALICE, ALICE) as client:
        for text in (*SAID, "yes"):
            begun = time.perf_counter()
            answer = await client.send_request(text)
            seconds.append(time.perf_counter() - begun)
        async with httpx2.AsyncClient(base_url=services["mock-servicenow"]) as http:
            (order,) = (await http.get("/api/now/table/sc_req_item")).json()["result"]

    assert order["request"]["display_value"] in answer.response.content
    assert statistics.median(seconds) < 0.5, seconds
    assert max(seconds) < 5, seconds


async def test_a_stream_crosses_the_processes(services):
    async with RequestManagerClient(services["request-manager"], ALICE, ALICE) as client:
        events = [event async for event in client.stream("hello")]

    assert any(isinstance(event, Token) for event in events)
    assert isinstance(events[-1], Final)
