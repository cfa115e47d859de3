"""The database in use: how it is named, how it is reached, how work on it is brought to its end."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr

from self_service_agent.kit.database import Address, DatabaseUnavailable, ensure_database, finish, open_pools
from self_service_agent.kit.ids import new_id

ELSEWHERE = Address(host="db.example", port=5433, user="a b", password=SecretStr("p@ss/word"), database="my db")


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (ELSEWHERE, "postgresql://a%20b:p%40ss%2Fword@db.example:5433/my%20db"),
        (replace(ELSEWHERE, password=SecretStr("")), "postgresql://a%20b@db.example:5433/my%20db"),
        (
            replace(ELSEWHERE, host="/tmp/a b", password=SecretStr("")),  # noqa: S108  # a name, no file
            "postgresql://a%20b@/my%20db?host=/tmp/a%20b&port=5433",
        ),
    ],
)
def test_an_address_has_a_url(address, url):
    assert address.url() == url


def test_an_address_does_not_show_its_password():
    assert "p@ss" not in repr(ELSEWHERE)


async def test_a_missing_database_is_made_once_however_many_ask(migrated):
    address = replace(migrated, database=f'odd "name" {new_id()}')

    await asyncio.gather(*(ensure_database(address) for _ in range(5)))

    connection = await address.connect()
    assert await connection.fetchval("SELECT current_database()") == address.database
    await connection.close()


async def test_an_unreachable_server_is_named(tmp_path):
    with pytest.raises(DatabaseUnavailable, match="POSTGRES_HOST"):
        await replace(ELSEWHERE, host=str(tmp_path)).connect()


async def test_only_the_durable_pool_waits_for_the_disk(database):
    async with open_pools(database, size=2) as pools:
        modes = [await pool.fetchval("SHOW synchronous_commit") for pool in (pools.durable, pools.relaxed)]

    assert modes == ["on", "off"]


async def test_work_is_finished_though_its_caller_is_cancelled(pool):
    begun = asyncio.Event()
    await pool.execute("CREATE TABLE done (n int)")

    async def work():
        begun.set()
        await pool.execute("INSERT INTO done SELECT 1 FROM pg_sleep(0.01)")

    caller = asyncio.ensure_future(finish(work()))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    assert await pool.fetchval("SELECT count(*) FROM done") == 1
