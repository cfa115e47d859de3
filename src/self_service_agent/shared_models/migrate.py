"""Bringing the database's tables up to date, or back."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config

from self_service_agent.kit.database import Address


async def upgrade(address: Address, *, revision: str = "head") -> None:
    """Apply every migration up to `revision`; does nothing when the tables are up to date."""
    await asyncio.to_thread(command.upgrade, _config(address), revision)


async def downgrade(address: Address, *, revision: str) -> None:
    """Undo migrations down to `revision`; `base` removes every table and what is in it."""
    await asyncio.to_thread(command.downgrade, _config(address), revision)


def _config(address: Address) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = address.url(scheme="postgresql+asyncpg")
    return config
