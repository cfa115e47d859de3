"""A mail server that is gone for a while: people ask for their answers by mail and get them when it is back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp

from self_service_agent.doubles.mailbox import Mailbox
from self_service_agent.kit import clock
from self_service_agent.kit.database import Address
from tests.faults.client import Client
from tests.faults.house import SSA, House, free_port
from tests.faults.people import a_crowd

_GLANCE = 0.1
_PATIENCE = timedelta(minutes=1)
_TRIED = "SELECT count(DISTINCT delivery_id) FROM delivery_attempts WHERE finished_at IS NOT NULL"
_DELIVERED = "SELECT count(*) FROM delivery_logs WHERE status = 'DELIVERED'"
_FAILED = "SELECT count(*) FROM delivery_attempts WHERE outcome = 'transient'"
_QUESTION = "How long does delivery take?"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long the mail server is gone, how many ask meanwhile, and how often the system is killed meanwhile.

    `settings` are the system's variables that are not to have their default; `patience` is for the mails to arrive
    once the server is back.
    """

    gone: timedelta
    mails: int = 10
    kills: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    patience: timedelta = timedelta(minutes=4)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it; `latest` is how long after the server's return the last mail arrived."""

    asked: int
    failed_attempts: int
    arrived: int
    message_ids: int
    delivered: int
    gone: timedelta
    latest: timedelta

    @property
    def is_lossless(self) -> bool:
        """Whether every mail arrived once and is on record as delivered."""
        return self.asked == self.arrived == self.message_ids == self.delivered


async def endure(plan: Plan, home: Path) -> Outcome:
    """Take the mail server away, have people ask, give it back, and return what came of it."""
    async with Mailbox.open(port=free_port()) as mailbox, _opened(plan, home, mailbox) as (house, client):
        await mailbox.stop()
        gone_at = clock.now()
        await asyncio.gather(
            *(client.ask_later(f"person.{number}", _QUESTION, channels=("EMAIL",)) for number in range(plan.mails))
        )
        await _until(house.database, _TRIED, plan.mails, within=_PATIENCE)
        for _ in range(plan.kills):
            await house.kill()
            await house.start()
        await asyncio.sleep((gone_at + plan.gone - clock.now()).total_seconds())
        back_at = clock.now()
        await mailbox.start()
        with suppress(TimeoutError):  # the outcome says what is missing
            await _until(house.database, _DELIVERED, plan.mails, within=plan.patience)
        return Outcome(
            asked=plan.mails,
            failed_attempts=await _fetched(house.database, _FAILED),
            arrived=len(mailbox.mails),
            message_ids=len({mail.headers["Message-ID"] for mail in mailbox.mails}),
            delivered=await _fetched(house.database, _DELIVERED),
            gone=back_at - gone_at,
            latest=max((mail.arrived_at - back_at for mail in mailbox.mails), default=plan.patience),
        )


@asynccontextmanager
async def _opened(plan: Plan, home: Path, mailbox: Mailbox) -> AsyncIterator[tuple[House, Client]]:
    """Yield a system that sends to this mailbox, and one that asks it."""
    environment = {
        "SSA_ENV": "development",
        "LOG_LEVEL": "warning",
        "WEB_API_KEYS": json.dumps(a_crowd(shoppers=0, subscribers=0, callers=plan.mails).api_keys()),
        "SMTP_HOST": mailbox.host,
        "SMTP_PORT": str(mailbox.port),
        "SMTP_USE_TLS": "false",
        "FROM_EMAIL": "self-service@company.com",
        **plan.settings,
    }
    async with House.open(home, SSA, environment) as house, aiohttp.ClientSession() as http:
        yield house, Client(http, house)


async def _until(database: Address, query: str, count: int, *, within: timedelta) -> None:
    async with asyncio.timeout(within.total_seconds()):
        while await _fetched(database, query) < count:  # the other process sends no event
            await asyncio.sleep(_GLANCE)


async def _fetched(database: Address, query: str) -> int:
    connection = await database.connect()
    try:
        count: int = await connection.fetchval(query)
    finally:
        await connection.close()
    return count
