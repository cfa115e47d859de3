"""Bringing the database's tables up to date, or back."""

import asyncio
import re
from pathlib import Path
from typing import Literal

from self_service_agent.kit.database import Address

_FOLDER = Path(__file__).parent / "migrations"
_REVISION = re.compile(r'^(?:down_)?revision\b.*= "(\w+)"$', re.MULTILINE)


async def upgrade(address: Address, *, revision: str = "head") -> None:
    """Apply every migration up to `revision`; does nothing when the tables are up to date."""
    wanted = _head() if revision == "head" else None
    if wanted is None or await _current(address) != wanted:
        await asyncio.to_thread(_migrate, "upgrade", address, revision)


async def downgrade(address: Address, *, revision: str) -> None:
    """Undo migrations down to `revision`; `base` removes every table and what is in it."""
    await asyncio.to_thread(_migrate, "downgrade", address, revision)


async def _current(address: Address) -> str | None:
    connection = await address.connect()
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version') IS NULL"):
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    finally:
        await connection.close()
    return revision


def _head() -> str | None:
    """Return the revision that no other one follows, or None if Alembic has to say which that is."""
    named = [name for path in (_FOLDER / "versions").glob("*.py") for name in _REVISION.findall(path.read_text())]
    heads = [name for name in named if named.count(name) == 1]
    return heads[0] if len(heads) == 1 else None


def _migrate(direction: Literal["upgrade", "downgrade"], address: Address, revision: str) -> None:
    # Alembic brings SQLAlchemy along: a fifth of a second that a start without anything to migrate does not pay.
    from alembic import command  # noqa: PLC0415  # see above
    from alembic.config import Config  # noqa: PLC0415  # see above

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["url"] = address.url(scheme="postgresql+asyncpg")
    getattr(command, direction)(config, revision)
