"""A key is looked up once and then known, until it changes or half a minute has passed."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import asyncpg
import pytest

from self_service_agent.kit.notifications import Notifier
from self_service_agent.request_manager.keys import service
from self_service_agent.request_manager.keys.environment import EnvironmentKeys
from self_service_agent.request_manager.keys.service import ApiKeys
from self_service_agent.request_manager.keys.text import KeyKind, digest, format_key
from tests.request_manager.audit.builders import NOON, Clock, eventually
from tests.request_manager.keys.house import ALICE_KEY, ENVIRONMENT

KEY = format_key(KeyKind.PERSON, b"k" * 32)
ADD = """
    INSERT INTO api_keys (key_id, digest, hint, name, user_id, roles, scopes, created_by, created_at, expires_at)
    VALUES ($1, $2, 'ssa_pabcd', 'laptop', 'u', '{user}', '{}', 'u', $3, $4)
"""


async def add(pool, text=KEY, *, key_id="k", expires_at=None):
    await pool.execute("INSERT INTO users (user_id, login) VALUES ('u', 'alice.johnson') ON CONFLICT DO NOTHING")
    await pool.execute(ADD, key_id, digest(text), NOON, expires_at)


async def revoke(pool, keys, text=KEY):
    await pool.execute("UPDATE api_keys SET revoked_at = now() WHERE digest = $1", digest(text))
    keys.changed(digest(text))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(pool, clock):
    return ApiKeys(pool, Notifier(), ENVIRONMENT, now=clock)


async def test_a_key_is_found_with_its_owner(pool, keys):
    await add(pool)

    owner = await keys.find(KEY)

    assert (owner.key_id, owner.user_id, owner.login, owner.roles) == ("k", "u", "alice.johnson", {"user"})


async def test_a_key_that_was_found_is_known_without_a_statement(pool, keys):
    await add(pool)
    assert keys.cached(KEY) is None
    owner = await keys.find(KEY)

    await pool.close()

    assert keys.cached(KEY) == owner
    assert await keys.find(KEY) == owner


async def test_a_key_is_looked_up_again_after_half_a_minute(pool, keys, clock):
    await add(pool)
    await keys.find(KEY)
    await pool.execute("UPDATE api_keys SET revoked_at = now()")  # and nobody says so

    clock.forward(seconds=29)
    assert await keys.find(KEY) is not None
    clock.forward(seconds=1)
    assert await keys.find(KEY) is None


async def test_a_key_ends_on_time_although_it_is_remembered(pool, keys, clock):
    await add(pool, expires_at=NOON + timedelta(seconds=10))

    assert await keys.find(KEY) is not None
    clock.forward(seconds=10)
    assert keys.cached(KEY) is None
    assert await keys.find(KEY) is None


@pytest.mark.parametrize("text", ["", "web-admin", f"{KEY[:-1]}x", "Bearer", "\ud800", "x" * 100_000])
async def test_what_is_no_key_of_ours_asks_no_database(pool, keys, text):
    await pool.close()

    assert await keys.find(text) is None


async def test_a_key_of_the_environment_asks_no_database(pool, keys):
    await pool.close()

    assert keys.cached(ALICE_KEY) == await keys.find(ALICE_KEY)
    assert keys.cached(ALICE_KEY).email == "alice.johnson@company.com"


async def test_an_unknown_key_is_asked_for_once_in_a_while(pool, keys, clock):
    assert await keys.find(KEY) is None
    await add(pool)

    assert await keys.find(KEY) is None
    clock.forward(seconds=5)
    assert await keys.find(KEY) is not None


async def test_a_new_key_works_at_once_although_it_was_tried_before(pool, keys):
    await keys.find(KEY)
    await add(pool)

    keys.changed(digest(KEY))

    assert await keys.find(KEY) is not None


async def test_a_guesser_does_not_fill_the_memory(pool, keys):
    await add(pool)
    await keys.find(KEY)
    guesses = [format_key(KeyKind.PERSON, number.to_bytes(32)) for number in range(service.UNKNOWN_LIMIT + 500)]

    for start in range(0, len(guesses), 1_000):
        assert not any(await asyncio.gather(*map(keys.find, guesses[start : start + 1_000])))

    assert len(keys._unknown) == service.UNKNOWN_LIMIT  # noqa: SLF001  # nothing else shows it
    assert keys.cached(KEY) is not None


async def test_a_change_during_the_look_up_is_not_forgotten(pool, keys):
    await add(pool)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")
        finding = asyncio.ensure_future(keys.find(KEY))
        await eventually(lambda: pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        keys.changed(digest(KEY))

    assert await finding is not None
    assert keys.cached(KEY) is None


async def test_a_revocation_takes_effect_in_every_process_at_once(database, pool):
    async with AsyncExitStack() as stack:
        first, second = Notifier(), Notifier()
        here, there = (ApiKeys(pool, each, EnvironmentKeys()) for each in (first, second))
        hello = first.wakeup("anything")
        for each in (first, second):
            await stack.enter_async_context(each.running(database))
        assert await hello.wait(sweep=timedelta(seconds=10))
        await add(pool)
        assert await here.find(KEY)
        assert await there.find(KEY)

        await revoke(pool, here)

        assert here.cached(KEY) is None
        await eventually(lambda: _forgotten(there), within=2)
        assert await there.find(KEY) is None


async def _forgotten(keys):
    return keys.cached(KEY) is None


async def test_a_message_that_got_lost_makes_everything_be_looked_up_again(pool, keys):
    await add(pool)
    await keys.find(KEY)

    keys.changed("")

    assert keys.cached(KEY) is None


async def test_the_last_use_is_noted_once_a_minute(pool, keys, clock):
    await add(pool)

    for seconds in (0, 25, 34, 1):  # 60 in all: the second note comes with the last step
        clock.forward(seconds=seconds)
        async with keys.running():
            await keys.find(KEY)
        noted = await pool.fetchval("SELECT last_used_at FROM api_keys")
        assert noted == (NOON if clock.time < NOON + timedelta(minutes=1) else clock.time)


async def test_two_processes_do_not_note_the_same_use_twice(pool, keys, clock):
    await add(pool)
    other = ApiKeys(pool, Notifier(), EnvironmentKeys(), now=clock)
    async with keys.running():
        await keys.find(KEY)
    clock.forward(seconds=20)

    async with other.running():
        await other.find(KEY)

    assert await pool.fetchval("SELECT last_used_at FROM api_keys") == NOON


async def test_a_key_has_exactly_one_owner(pool):
    await add(pool)

    for change in ("tool_id = 'monitor'", "user_id = NULL"):
        with pytest.raises(asyncpg.CheckViolationError):
            await pool.execute(f"UPDATE api_keys SET {change}")  # noqa: S608  # our own words
