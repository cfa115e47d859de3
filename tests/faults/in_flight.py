"""How many requests are in flight: accepted and not answered yet, as the database knows it, even if nobody runs."""

import asyncio
from dataclasses import dataclass

from self_service_agent.kit.database import Address, Connection

_GLANCE = 0.02
_COUNTS = """
    SELECT count(*) FILTER (WHERE status NOT IN ('completed', 'failed')) AS in_flight,
        count(*) FILTER (WHERE status IN ('completed', 'failed')) AS answered
    FROM request_logs
"""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Where the requests stand that were ever accepted."""

    in_flight: int = 0
    answered: int = 0


async def counted(database: Address) -> Counts:
    """Return where the requests stand now."""
    connection = await database.connect()
    try:
        return await _counted(connection)
    finally:
        await connection.close()


async def until_at_work(database: Address, wanted: int, *, since: Counts, within: float) -> None:
    """Return once that many requests are in flight and some were answered since, or when the time is up."""
    connection = await database.connect()
    try:
        async with asyncio.timeout(within):
            now = since
            while now.in_flight < wanted or now.answered <= since.answered:  # the other process sends no event
                await asyncio.sleep(_GLANCE)
                now = await _counted(connection)
    except TimeoutError:
        pass  # the counts at the kill tell
    finally:
        await connection.close()


async def _counted(connection: Connection) -> Counts:
    row = await connection.fetchrow(_COUNTS)
    assert row is not None
    return Counts(in_flight=row["in_flight"], answered=row["answered"])
