"""Kills the process at one step of one turn of the laptop flow, and sees what is left when it has come back."""

import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import aiohttp

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
WISH, CHOICE, YES = "I need a new laptop", "emea-std-14", "yes"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A step of the turn that answers what was said."""

    said: str
    step: Step

    def __str__(self) -> str:
        return f"{self.said!r}: {self.step}"


# Only the last answer goes to a channel, and only the first and the last turn call a tool.
MOMENTS = (
    *(Moment(said=WISH, step=step) for step in (Step.INTENDED, Step.CALLED, Step.SETTLED, Step.ANSWERED)),
    *(Moment(said=CHOICE, step=step) for step in (Step.SETTLED, Step.ANSWERED)),
    *(Moment(said=YES, step=step) for step in Step),
)


@dataclass(frozen=True, kw_only=True)
class Left:
    """What was left: how the process died, what the peers and the database hold, and how often the order was sent."""

    died: int
    summary: Summary
    writes: int

    @property
    def is_right(self) -> bool:
        """Whether the process was killed, and nothing is lost or doubled."""
        counts = (self.summary.answers, self.summary.tickets, self.summary.deliveries, self.writes)
        return self.died == -signal.SIGKILL and counts == (3, 1, 1, 1)


async def struck_at(moment: Moment, database: Address, home: Path) -> Left:
    """Let the person buy a laptop, kill the process at `moment`, start it again, and return what is left.

    The tools are a part of the world around the process, so that it dies alone.
    """
    async with (
        open_peers([PERSON]) as peers,
        serving(create_app(settings_for(peers.servicenow_url))) as tools_url,
        aiohttp.ClientSession() as http,
        House.open(home, COMMAND, _environment(peers, tools_url, database, moment=moment)) as house,
    ):
        await call_witness(database)
        client = Client(http, house)
        shopping = asyncio.create_task(_buy(client))
        died = await house.died()
        await house.start()
        await shopping
        summary = await gathered(database, peers, client, struck=[1])
    return Left(died=died, summary=summary, writes=len((home / "writes").read_text().splitlines()))


async def _buy(client: Client) -> None:
    for words in (WISH, CHOICE):
        await client.ask(PERSON.login, words)
    await client.ask_later(PERSON.login, YES, channels=("EMAIL",))


def _environment(peers: Peers, tools_url: str, database: Address, *, moment: Moment) -> dict[str, str]:
    return {
        **peers.environment(),
        "CRASH_AT": moment.step.name,
        "CRASH_ON": moment.said,
        "MCP_SERVICENOW_URL": f"{tools_url}/mcp",
        "SERVICE_TOKEN_SECRET": SECRET.get_secret_value(),
        "WEB_API_KEYS": json.dumps({PERSON.login: PERSON.email}),
        "POSTGRES_HOST": database.host,
        "POSTGRES_DB": database.database,
        "TURN_LEASE_SECONDS": "1",
        "DELIVERY_LEASE_SECONDS": "2",
        "DELIVERY_TIMEOUT_SECONDS": "1",
    }
