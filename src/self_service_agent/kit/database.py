"""The PostgreSQL in use: where it is, a pool of connections to it, and where the embedded one is started."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

import asyncpg
import orjson
from pydantic import Field, SecretStr

from .embedded_postgres import EmbeddedPostgres
from .settings import Settings

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
PooledConnection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Executor: TypeAlias = "asyncpg.Pool[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
ResultT = TypeVar("ResultT")

# What comes up when the server goes away; asyncpg takes a line that breaks at a bad moment for a mistake of its own.
DATABASE_TROUBLE: Final = (
    asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError,
)  # fmt: skip


class DatabaseSettings(Settings):
    """POSTGRES_*; without POSTGRES_HOST the embedded server under SSA_HOME is used."""

    postgres_host: str | None = None
    postgres_port: int = 5432
    postgres_db: str = "llama_agents"
    postgres_user: str = "postgres"
    postgres_password: SecretStr = SecretStr("")
    db_pool_size: int = Field(default=10, ge=2, le=100)


class DatabaseUnavailable(Exception):
    """The database cannot be reached; the message names the address and the variables that set it."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a database is, in the words of asyncpg and of libpq."""

    host: str
    port: int
    user: str
    password: SecretStr
    database: str

    def url(self, *, scheme: str = "postgresql") -> str:
        """Return the URL with its password, if there is one; `host` may be the folder of a Unix socket."""
        password = self.password.get_secret_value()
        user = quote(self.user, safe="") + (f":{quote(password, safe='')}" if password else "")
        if self.host.startswith("/"):
            return f"{scheme}://{user}@/{quote(self.database)}?host={quote(self.host)}&port={self.port}"
        return f"{scheme}://{user}@{self.host}:{self.port}/{quote(self.database)}"

    async def connect(self, *, database: str | None = None) -> Connection:
        """Open one connection, or raise `DatabaseUnavailable`."""
        try:
            return await asyncpg.connect(**{**self.arguments(), "database": database or self.database})
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            raise DatabaseUnavailable(
                f"PostgreSQL at {self.host}:{self.port} (user {self.user}, database {database or self.database}) "
                f"refused: {error}. Check POSTGRES_HOST, _PORT, _USER, _PASSWORD and _DB."
            ) from error

    def arguments(self) -> dict[str, Any]:
        """Return what `asyncpg.connect` and `asyncpg.create_pool` take."""
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "database": self.database,
            "password": self.password.get_secret_value() or None,
            "timeout": 10,
            "command_timeout": 60,
            "server_settings": {
                "application_name": "self-service-agent",
                "jit": "off",
                # Planning the large statements of the hot paths anew for each call would cost more than running them.
                "plan_cache_mode": "force_generic_plan",
                # A statement planned while its table is empty must not read all of it when it is full. Statements
                # therefore name their rows (`= ANY`, or LATERAL with LIMIT or OFFSET 0), whatever statistics say, and
                # groups of rows are joined by hash: of few estimated rows, nested loops make the square of many.
                "enable_seqscan": "off",
                "enable_bitmapscan": "off",
                "enable_mergejoin": "off",
                "enable_nestloop": "off",
            },
        }


@asynccontextmanager
async def running_postgres(settings: DatabaseSettings, home: Path) -> AsyncIterator[Address]:
    """Yield the address of the configured server, or of the embedded one, which runs for as long as this is open."""
    async with AsyncExitStack() as stack:
        if settings.postgres_host is not None:
            yield _address(settings, host=settings.postgres_host)
            return
        server = EmbeddedPostgres(home)
        await asyncio.to_thread(server.__enter__)
        stack.push_async_callback(asyncio.to_thread, server.__exit__, None, None, None)
        address = _address(settings, host=str(server.socket_folder))
        await ensure_database(address)
        yield address


async def ensure_database(address: Address) -> None:
    """Create the database if it is not there."""
    connection = await address.connect(database="postgres")
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", address.database):
            await connection.execute(f'CREATE DATABASE "{address.database.replace(chr(34), chr(34) * 2)}"')
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass  # another process was quicker
    finally:
        await connection.close()


@dataclass(frozen=True, kw_only=True)
class Pools:
    """Two ways to commit, to the same database.

    `durable` waits until a commit is on disk; what is promised to anybody outside goes through it. `relaxed` does not
    wait: its commits reach the disk in order, at the latest with the next durable one, so that a crash of the server
    can only undo the last moments, together. It is for steps that nobody outside has heard of yet and that are taken
    again when they are undone.
    """

    durable: Pool
    relaxed: Pool


@asynccontextmanager
async def open_pools(address: Address, *, size: int) -> AsyncIterator[Pools]:
    """Yield both pools, of up to `size` connections each."""
    async with open_pool(address, size=size) as durable, open_pool(address, size=size, commit="off") as relaxed:
        yield Pools(durable=durable, relaxed=relaxed)


@asynccontextmanager
async def open_pool(address: Address, *, size: int, commit: str = "on") -> AsyncIterator[Pool]:
    """Yield a pool whose connections are not reset between uses: nobody may leave session state behind."""
    await (await address.connect()).close()  # the helpful error comes from here
    arguments = address.arguments()
    arguments["server_settings"]["synchronous_commit"] = commit
    pool = await asyncpg.create_pool(
        **arguments, min_size=2, max_size=size, reset=_keep, max_inactive_connection_lifetime=0
    )
    async with pool:
        yield pool


def in_json(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows for `json_to_recordset`: one parameter costs a fraction of an array for each column."""
    return orjson.dumps(rows).decode()


async def finish(work: Awaitable[ResultT]) -> ResultT:
    """Await database work to its end even if the caller is cancelled: a cut-off statement poisons its connection."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _keep(_connection: Any) -> None:
    """Keep the connection as it is: the default reset costs a round trip, 30 % of a small statement."""


def _address(settings: DatabaseSettings, *, host: str) -> Address:
    return Address(
        host=host,
        port=settings.postgres_port,
        user=settings.postgres_user,
        password=settings.postgres_password,
        database=settings.postgres_db,
    )
