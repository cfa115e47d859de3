"""A system that nobody asks anything leaves its database in peace."""

import asyncio
from pathlib import Path

from tests.acceptance.house import open_house

_SECONDS = 10


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


def _statements(log):
    written = log.read_text(errors="replace")
    return written.count("LOG:  execute") + written.count("LOG:  statement:")
