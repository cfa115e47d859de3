"""A system that nobody asks anything leaves its database in peace."""

import asyncio
from pathlib import Path

import aiohttp

from tests.acceptance.house import eventually, open_house
from tests.faults.client import Client
from tests.faults.house import SSA, House

_SECONDS = 10
_SWEEPS = 20  # seconds; each service looks around every ten, and then sends several statements at once
_IS_DONE = """
    SELECT EXISTS (SELECT FROM delivery_logs WHERE status = 'DELIVERED') AND NOT EXISTS (SELECT FROM event_inbox)
        AND NOT EXISTS (SELECT FROM knowledge_versions WHERE embedder IS NULL)
"""


async def test_an_idle_system_sends_less_than_two_statements_a_second(migrated, database, tmp_path):
    admin = await migrated.connect()
    await admin.execute(f"ALTER DATABASE \"{database.database}\" SET log_statement = 'all'")
    await admin.close()
    log = Path(migrated.host) / "server.log"

    async with open_house(database, tmp_path) as house:
        await house.ask("hello")
        before = _statements(log)
        await asyncio.sleep(_SECONDS)
        sent = _statements(log) - before

    assert before > 10  # or the log would prove nothing
    assert 0 < sent < 2 * _SECONDS


async def test_everything_in_one_process_sends_less_than_two_statements_a_second_when_idle(tmp_path):
    log = tmp_path / "postgres" / "server.log"
    async with House.open(tmp_path, SSA, {"SSA_ENV": "development"}) as house:
        admin = await house.database.connect()
        await admin.execute("ALTER SYSTEM SET log_statement = 'all'")
        await admin.execute("SELECT pg_reload_conf()")
        await _ask_by_mail(house)
        await eventually(lambda: admin.fetchval(_IS_DONE), within=60)
        await admin.close()
        before = _statements(log)
        await asyncio.sleep(_SWEEPS)
        sent = _statements(log) - before

    assert before > 10  # or the log would prove nothing
    assert 0 < sent < 2 * _SWEEPS


async def _ask_by_mail(house):
    """Give every service something to do, so that none is idle only because it never began."""
    async with aiohttp.ClientSession() as http:
        await Client(http, house).ask_later("alice.johnson", "show my laptop", channels=("EMAIL",))


def _statements(log):
    written = log.read_text(errors="replace")
    return written.count("LOG:  execute") + written.count("LOG:  statement:")
