"""A process that dies between two steps leaves exactly one effect, whichever steps they are."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from self_service_agent.kit.database import Address
from self_service_agent.mcp_servers.servicenow.app import create_app
from tests.doubles_servicenow.serving import serving
from tests.faults.client import Client
from tests.faults.crashing import Step
from tests.faults.evidence import Summary, gathered
from tests.faults.house import House
from tests.faults.peers import Peers, an_employee, open_peers
from tests.faults.witness import call_witness
from tests.mcp_servers.servicenow.house import SECRET, settings_for

PERSON = an_employee(1)
COMMAND = (sys.executable, "-m", "tests.faults.crashing")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The peers of a house that will crash, and the way to it."""

    peers: Peers
    tools_url: str
    http: aiohttp.ClientSession
    database: Address


@pytest.fixture
async def scene(database: Address) -> AsyncIterator[Scene]:
    """Open the world around the process; the tools are a part of it, so that the process dies alone."""
    async with (
        open_peers([PERSON]) as peers,
        serving(create_app(settings_for(peers.servicenow_url))) as tools_url,
        aiohttp.ClientSession() as http,
    ):
        yield Scene(peers=peers, tools_url=tools_url, http=http, database=database)


@pytest.mark.parametrize("step", Step, ids=lambda step: step.name.lower())
async def test_a_crash_at_any_step_leaves_one_effect(step: Step, scene: Scene, tmp_path: Path):
    async with House.open(tmp_path, COMMAND, environment_of(scene, step)) as house:
        await call_witness(scene.database)
        client = Client(scene.http, house)
        shopping = asyncio.create_task(buy(client))
        died = await house.died()
        await house.start()
        await shopping
        summary = await gathered(scene.database, scene.peers, client, struck=[1])

    assert died == -signal.SIGKILL
    assert summary == Summary(
        requests=3,
        struck=(1,),
        answers=3,
        tickets=1,
        deliveries=1,
        repeats=int(step is Step.SENT),
        retaken=int(step in {Step.INTENDED, Step.CALLED, Step.SETTLED}),
        recalled=int(step in {Step.INTENDED, Step.CALLED}),
    )
    assert len((tmp_path / "writes").read_text().splitlines()) == 1


async def buy(client: Client) -> None:
    for words in ("I need a new laptop", "emea-std-14"):
        await client.ask(PERSON.login, words)
    await client.ask_later(PERSON.login, "yes", channels=("EMAIL",))


def environment_of(scene: Scene, step: Step) -> dict[str, str]:
    return {
        **scene.peers.environment(),
        "CRASH_AT": step.name,
        "MCP_SERVICENOW_URL": f"{scene.tools_url}/mcp",
        "SERVICE_TOKEN_SECRET": SECRET.get_secret_value(),
        "WEB_API_KEYS": json.dumps({PERSON.login: PERSON.email}),
        "POSTGRES_HOST": scene.database.host,
        "POSTGRES_DB": scene.database.database,
        "TURN_LEASE_SECONDS": "1",
        "DELIVERY_LEASE_SECONDS": "2",
        "DELIVERY_TIMEOUT_SECONDS": "1",
    }
