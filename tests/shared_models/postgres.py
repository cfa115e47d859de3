"""A PostgreSQL server for tests as an operator would run one: on a loopback port, with a password."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from self_service_agent.kit.embedded_postgres import EmbeddedPostgres

PASSWORD = "p@ss/word:1"


@contextmanager
def external_server(home: Path) -> Iterator[int]:
    """Yield the port of a running server, made of the same binaries as the embedded one."""
    server = EmbeddedPostgres(home)
    with server:
        asyncio.run(_set_password(str(server.socket_folder)))
    data, port = home / "postgres", _free_port()
    (data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    options = f"-p {port} -h 127.0.0.1 -k '{data}' -c fsync=off"
    server._control("start", "--log", str(data / "server.log"), "--options", options)  # noqa: SLF001  # knows the user to run as
    try:
        yield port
    finally:
        server._control("stop", "--mode=fast")  # noqa: SLF001


async def _set_password(socket_folder: str) -> None:
    connection = await asyncpg.connect(host=socket_folder, user="postgres", database="postgres")
    await connection.execute(f"ALTER USER postgres PASSWORD '{PASSWORD}'")
    await connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
