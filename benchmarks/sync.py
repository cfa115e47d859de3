"""Synchronous requests to an agent that only echoes: accepted, queued, taken, answered, recorded, returned."""

import asyncpg

from .house import House, generate, is_quiet, running_house
from .report import row, title


async def run(*, scale: float) -> None:
    title("callers", "per second", "p50 ms", "p95", "p99", "our CPU us", "PG CPU us", "commits", "RSS MiB")
    async with running_house(DEFAULT_AGENT_ID="echo-agent", TURN_CONCURRENCY="256") as house:
        connection = await asyncpg.connect(house.database_url)
        await generate(house.port, "/api/v1/requests/web", callers=8, total=200)
        for callers in (1, 8, 32, 64, 128):
            await is_quiet(connection)
            await _measure(house, connection, callers=callers, total=int((1500 if callers == 1 else 9000) * scale))
        statements = await _statements(house, connection)
        print(f"{statements:.1f} statements for each request of a single caller, BEGIN and COMMIT included")
        await connection.close()


async def _measure(house: House, connection: asyncpg.Connection, *, callers: int, total: int) -> None:
    cpu, commits = house.cpu(), await _commits(connection)
    figures = await generate(house.port, "/api/v1/requests/web", callers=callers, total=total)
    used = [(after - before) / total * 1e6 for before, after in zip(cpu, house.cpu(), strict=True)]
    commits = (await _commits(connection) - commits) / total
    row(
        callers,
        f"{figures['per_second']:.0f}",
        f"{figures['p50']:.2f}",
        f"{figures['p95']:.2f}",
        f"{figures['p99']:.2f}",
        f"{used[0]:.0f}",
        f"{used[1]:.0f}",
        f"{commits:.2f}",
        f"{house.memory() / 2**20:.0f}",
    )


async def _commits(connection: asyncpg.Connection) -> int:
    await connection.execute("SELECT pg_stat_force_next_flush()")
    return await connection.fetchval("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")


async def _statements(house: House, connection: asyncpg.Connection) -> float:
    """Count what the server logs while one caller sends 100 requests."""
    log = house.home / "postgres" / "server.log"
    await _log_statements(connection, "all")
    before = log.read_text().count("LOG:  ")
    await generate(house.port, "/api/v1/requests/web", callers=1, total=100)
    after = log.read_text().count("LOG:  ")
    await _log_statements(connection, "none")
    return (after - before) / 100


async def _log_statements(connection: asyncpg.Connection, which: str) -> None:
    await connection.execute(f"ALTER SYSTEM SET log_statement = '{which}'")
    await connection.execute("ALTER SYSTEM SET log_min_messages = 'warning'")
    await connection.execute("SELECT pg_reload_conf()")
