"""Databases for tests: fresh ones, made from the migrated one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from self_service_agent.kit.database import Address
from self_service_agent.kit.ids import new_id


@asynccontextmanager
async def fresh_database(migrated: Address) -> AsyncIterator[Address]:
    """Yield the address of a migrated database that holds nothing yet."""
    name = f"test_{new_id().replace('-', '')}"
    admin = await migrated.connect(database="postgres")
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated.database}" STRATEGY wal_log')
    yield replace(migrated, database=name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()
