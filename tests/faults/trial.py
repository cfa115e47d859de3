"""One trial: people at work while the system is killed again and again, then the evidence."""

import asyncio
import itertools
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp

from self_service_agent.kit.database import DatabaseSettings, running_postgres
from tests.faults.client import Client
from tests.faults.evidence import Summary, gathered
from tests.faults.house import SSA, House
from tests.faults.in_flight import Counts, counted, until_at_work
from tests.faults.peers import Peers, open_peers
from tests.faults.people import Crowd, a_crowd, buy_a_laptop, call, subscribe
from tests.faults.witness import call_witness

Errand = Callable[[], Awaitable[None]]

_PATIENCE = 90.0
_PATIENCE_PER_KILL = 10.0
_RUSH = 20.0  # seconds that a life lasts, at most, for as many requests to be in flight as there are to be
_SECRET = "c2lnbmVkIHdpdGggYSBrZXkgZm9yIHRlc3Rz"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a trial goes; the seed decides everything that is left to chance.

    Without `in_flight`, a share of the people comes in each life. With it, all come in the first one, and each life
    lasts until that many requests are in flight and it has answered some.
    """

    seed: int
    kills: int
    kills_database: bool = False
    longest_life: float = 0.4
    shoppers: int = 14
    subscribers: int = 7
    callers: int = 6
    questions_per_caller: int = 4
    in_flight: int = 0


async def endure(plan: Plan, home: Path) -> Summary:
    """Carry out a trial and return what came of it, or raise AssertionError."""
    try:
        async with asyncio.timeout(_PATIENCE + _PATIENCE_PER_KILL * plan.kills):
            return await _carried_out(plan, home)
    except TimeoutError:
        raise AssertionError("somebody still waits for an answer, or the system did not come back") from None


async def _carried_out(plan: Plan, home: Path) -> Summary:
    rng = random.Random(plan.seed)  # noqa: S311  # repeatable chance, no secret
    crowd = a_crowd(shoppers=plan.shoppers, subscribers=plan.subscribers, callers=plan.callers)
    async with AsyncExitStack() as stack:
        peers = await stack.enter_async_context(open_peers(crowd.everybody))
        house = await stack.enter_async_context(House.open(home, SSA, _environment(peers, crowd)))
        await call_witness(house.database)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        client = Client(http, house)
        lives = [asyncio.Event() for _ in range(plan.kills)]
        arrivals = itertools.cycle(lives[:1] if plan.in_flight else lives)
        async with asyncio.TaskGroup() as tasks:
            for each, life in zip(_errands(plan, client, peers, crowd=crowd, rng=rng), arrivals, strict=False):
                tasks.create_task(_from(life, each))
            struck = await _kill_again_and_again(plan, house, lives=lives, rng=rng)
        address = await stack.enter_async_context(running_postgres(DatabaseSettings(), home))
        return await gathered(address, peers, client, struck=struck)


def _errands(plan: Plan, client: Client, peers: Peers, *, crowd: Crowd, rng: random.Random) -> list[Errand]:
    """Return what everybody does, in an order left to chance."""

    def own_chance() -> random.Random:
        return random.Random(rng.random())  # noqa: S311  # repeatable chance, no secret

    subscribe_here = partial(subscribe, receiver=peers.receiver.url)
    call_often = partial(call, questions=plan.questions_per_caller)
    errands = [
        *(partial(buy_a_laptop, client, person, own_chance()) for person in crowd.shoppers),
        *(partial(subscribe_here, client, person, own_chance()) for person in crowd.subscribers),
        *(partial(call_often, client, person, own_chance()) for person in crowd.callers),
    ]
    rng.shuffle(errands)
    return errands


async def _from(life: asyncio.Event, errand: Errand) -> None:
    await life.wait()
    await errand()


async def _kill_again_and_again(
    plan: Plan, house: House, *, lives: list[asyncio.Event], rng: random.Random
) -> list[int]:
    """Let the system live for a moment at a time; return how many requests were in flight at each death."""
    struck = [Counts()]
    for life in lives:
        life.set()
        if plan.in_flight:
            await until_at_work(house.database, plan.in_flight, since=struck[-1], within=_RUSH)
        await asyncio.sleep(rng.uniform(0, plan.longest_life))  # the moment of death is the experiment
        if plan.kills_database:
            struck.append(await _kill_with_database(house, after=rng.uniform(0, plan.longest_life)))
        else:
            struck.append(await _kill(house))
        await house.start()
    return [counts.in_flight for counts in struck[1:]]


async def _kill(house: House) -> Counts:
    """Kill the process and return what it left behind: its database lives on and can tell."""
    await house.kill()
    return await counted(house.database)


async def _kill_with_database(house: House, *, after: float) -> Counts:
    """Kill the database and, `after` so many seconds, the process; return what stood in the database just before."""
    counts = await counted(house.database)
    house.kill_database()
    await asyncio.sleep(after)
    await house.kill()
    return counts


def _environment(peers: Peers, crowd: Crowd) -> dict[str, str]:
    return {
        **peers.environment(),
        "SSA_ENV": "development",
        "LOG_LEVEL": "warning",
        "SERVICE_TOKEN_SECRET": "a secret for tests, long enough for HS256",
        "WEB_API_KEYS": json.dumps(crowd.api_keys()),
        "WEBHOOK_SECRET": f"whsec_{_SECRET}",
        "TURN_LEASE_SECONDS": "1",
        "DELIVERY_LEASE_SECONDS": "2",
        "DELIVERY_TIMEOUT_SECONDS": "1",
        # A slow machine may run into the timeout: tried again soon, and never given up because of it.
        "INTEGRATION_DEFAULTS_EMAIL_RETRY_COUNT": "20",
        "INTEGRATION_DEFAULTS_EMAIL_RETRY_DELAY_SECONDS": "1",
        "INTEGRATION_DEFAULTS_WEBHOOK_RETRY_COUNT": "20",
        "INTEGRATION_DEFAULTS_WEBHOOK_RETRY_DELAY_SECONDS": "1",
    }
