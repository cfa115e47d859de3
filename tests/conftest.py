"""What every test may ask for: a real PostgreSQL, migrated, and empty for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import structlog

from self_service_agent.kit.database import Address, DatabaseSettings, Pool, open_pool, running_postgres
from self_service_agent.kit.ids import new_id
from self_service_agent.shared_models import migrate

# Its usual renderer draws every value of every frame of a traceback, which takes minutes for an engine's.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A running server whose database holds the tables and nothing else; the source of every test's database."""
    home = tmp_path_factory.mktemp("home")
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        address = runner.run(stack.enter_async_context(running_postgres(DatabaseSettings(), home)))
        runner.run(migrate.upgrade(address))
        yield address
        runner.run(stack.aclose())


@pytest.fixture
async def database(migrated: Address) -> AsyncIterator[Address]:
    """The address of a fresh, migrated database."""
    name = f"test_{new_id().replace('-', '')}"
    admin = await migrated.connect(database="postgres")
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated.database}" STRATEGY wal_log')
    yield replace(migrated, database=name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@pytest.fixture
async def pool(database: Address) -> AsyncIterator[Pool]:
    """Connections to a fresh, migrated database."""
    async with open_pool(database, size=10) as pool:
        yield pool
