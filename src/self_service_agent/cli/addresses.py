"""Where the database is, without starting it."""

from pathlib import Path

from self_service_agent.kit.database import Address, DatabaseSettings
from self_service_agent.kit.embedded_postgres import EmbeddedPostgres


def address_of(settings: DatabaseSettings, home: Path) -> Address:
    """Return the address of the configured server, or the one at which the embedded server answers when it runs."""
    return Address(
        host=settings.postgres_host or str(EmbeddedPostgres(home).socket_folder),
        port=settings.postgres_port,
        user=settings.postgres_user,
        password=settings.postgres_password,
        database=settings.postgres_db,
    )
