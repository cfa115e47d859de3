"""Servers of the official SDK as anybody may run them: with sessions or not, with event streams, or as a command."""

import asyncio
import os
import signal
import sys
from datetime import timedelta

import pytest

from self_service_agent.connectors.mcp.client import ToolServer
from self_service_agent.connectors.mcp.process import Command
from self_service_agent.connectors.mcp.process_line import rest_after
from self_service_agent.connectors.mcp.protocol import ToolInDoubt, ToolRefused, ToolUnavailable
from self_service_agent.kit.http.egress import EgressPolicy
from tests.agent_service.tools.servers import a_command, a_shop, served

LOOPBACK = EgressPolicy(allow_loopback=True)
WITHIN = timedelta(seconds=20)


async def stock(server, article="pens"):
    return await server.call("stock", {"article": article}, subject="", timeout=WITHIN)


async def process_of(server):
    answer = await server.call("process", {}, subject="", timeout=WITHIN)
    return answer["pid"]


@pytest.mark.parametrize("json_response", [True, False])
@pytest.mark.parametrize("stateless_http", [True, False])
async def test_a_server_over_http_is_called_in_any_of_its_ways(json_response, stateless_http):
    shop = a_shop()
    async with (
        served(shop, json_response=json_response, stateless_http=stateless_http) as url,
        ToolServer.open_foreign(url, headers={}, policy=LOOPBACK) as server,
    ):
        assert await stock(server) == {"count": 4}
        assert await server.call("remark", {}, subject="", timeout=WITHIN) == {"text": "a text"}
        with pytest.raises(ToolRefused, match="article"):
            await server.call("stock", {}, subject="", timeout=WITHIN)
        with pytest.raises(ToolInDoubt):
            await server.call("fail", {}, subject="", timeout=WITHIN)


async def test_a_command_is_called_with_a_clean_environment(monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_OURS", "x")
    async with ToolServer.run(a_command(SHOP="corner")) as server:
        tools = await server.tools(within=WITHIN)
        environment = await server.call("environment", {}, subject="", timeout=WITHIN)
        answers = await asyncio.gather(*(stock(server, "x" * number) for number in range(10)))

    assert set(tools) == {"stock", "remark", "order", "fail", "environment", "pause", "process"}
    assert set(environment) <= {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "LC_CTYPE", "SHOP"}
    assert environment["SHOP"] == "corner"
    assert answers == [{"count": number} for number in range(10)]


async def test_a_command_that_dies_is_started_again():
    async with ToolServer.run(a_command()) as server:
        os.kill(await process_of(server), signal.SIGKILL)
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await stock(server) == {"count": 4}
                    break
                except (ToolUnavailable, ToolInDoubt):
                    await asyncio.sleep(0.1)  # it is being started again, and nothing says when that is done


async def test_a_command_ends_with_us():
    async with ToolServer.run(a_command()) as server:
        child = await process_of(server)

    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.parametrize("command", ["/no/such/program", "/bin/true"])
async def test_a_command_that_does_not_run_is_unavailable(command):
    async with ToolServer.run(Command(name="broken", command=command)) as server:
        with pytest.raises(ToolUnavailable):
            await server.call("stock", {}, subject="", timeout=timedelta(seconds=2))


async def test_a_line_without_end_ends_the_command():
    endless = "import sys; sys.stdout.write('x' * 3_000_000); sys.stdout.flush(); sys.stdin.read()"
    command = Command(name="endless", command=sys.executable, arguments=("-c", endless))
    async with ToolServer.run(command) as server:
        with pytest.raises(ToolUnavailable):
            await server.call("stock", {}, subject="", timeout=timedelta(seconds=2))


def test_rests_between_starts_grow_to_a_minute():
    assert [rest_after(deaths).total_seconds() for deaths in (1, 2, 3, 8, 100)] == [0.5, 1, 2, 60, 60]
