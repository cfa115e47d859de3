"""Whether the database answers, and whether its tables are those of this release."""

from pathlib import Path

import asyncpg
from alembic.script import ScriptDirectory

from self_service_agent.cli.addresses import address_of
from self_service_agent.kit.database import Connection, DatabaseSettings, DatabaseUnavailable
from self_service_agent.kit.embedded_postgres import EmbeddedPostgres
from self_service_agent.shared_models import migrations

from .report import Finding, broken, ok, warning

_DATABASE = "PostgreSQL"
_TABLES = "migrations"


async def database(settings: DatabaseSettings, home: Path) -> list[Finding]:
    """Look at the server and, if it answers, at its tables. Nothing is started."""
    address = address_of(settings, home)
    if settings.postgres_host is None and not _is_running(home):
        return [ok(_DATABASE, f"its own, under {home}; not running, `ssa up` starts it")]
    try:
        connection = await address.connect()
    except DatabaseUnavailable as error:
        return [broken(_DATABASE, str(error), "start the server, or unset POSTGRES_HOST to use the embedded one")]
    try:
        version = await connection.fetchval("SHOW server_version")
        return [ok(_DATABASE, f"{version} at {address.host}"), await _tables(connection)]
    finally:
        await connection.close()


async def _tables(connection: Connection) -> Finding:
    head = ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
    try:
        current = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        current = None
    if current == head:
        return ok(_TABLES, f"at {head}")
    return warning(_TABLES, f"at {current or 'nothing'}, this release has {head}", "run `ssa migrate`")


def _is_running(home: Path) -> bool:
    return any(EmbeddedPostgres(home).socket_folder.glob(".s.PGSQL.*"))
