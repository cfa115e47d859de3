"""What is kept for how long."""

import asyncio
from datetime import timedelta

import pytest

from self_service_agent.agent_service.sessions.retention import Cleaned, Retention, clean
from self_service_agent.agent_service.sessions.rules import RetentionPolicy
from self_service_agent.kit.ids import new_id
from tests.agent_service.sessions.builders import (
    TABLES,
    a_conversation,
    a_delivery,
    a_person,
    a_turn,
    age,
    counted,
    expire,
    status_of,
)

KEEP = timedelta(days=30)
ONE_OF_EACH = dict.fromkeys(TABLES, 1) | {"event_inbox": 0}


@pytest.fixture
async def alice(pool):
    return await a_person(pool)


async def an_old_one(pool, user_id, status="INACTIVE", **how):
    session = await a_conversation(pool, user_id, status=status, **how)
    await age(pool, session, 31)
    return session


async def test_what_has_expired_is_marked(pool, alice):
    sessions = [await a_conversation(pool, alice, scope=scope) for scope in ("user", "WEB", "CLI")]
    for session in sessions[:2]:
        await expire(pool, session)

    assert await clean(pool, keep=KEEP) == Cleaned(expired=2)
    assert [await status_of(pool, each) for each in sessions] == ["EXPIRED", "EXPIRED", "ACTIVE"]


@pytest.mark.parametrize("status", ["INACTIVE", "EXPIRED"])
async def test_what_ended_long_ago_is_deleted_with_everything_that_belongs_to_it(pool, alice, status):
    await an_old_one(pool, alice, status)

    cleaned = await clean(pool, keep=KEEP)

    assert await counted(pool) == dict.fromkeys(TABLES, 0)
    assert {table: cleaned.deleted[table] for table in TABLES} == ONE_OF_EACH


@pytest.mark.parametrize(("status", "days"), [("ACTIVE", 31), ("ARCHIVED", 31), ("INACTIVE", 29), ("EXPIRED", 29)])
async def test_everything_else_is_kept(pool, alice, *, status, days):
    session = await a_conversation(pool, alice, status=status)
    await age(pool, session, days)

    assert await clean(pool, keep=KEEP) == Cleaned()
    assert await counted(pool) == ONE_OF_EACH


@pytest.mark.parametrize("work", ["ready turn", "queued turn", "delivery", "event"])
async def test_a_session_at_work_is_kept(pool, alice, work):
    session = await an_old_one(pool, alice)
    match work:
        case "ready turn":
            await a_turn(pool, session, new_id(), user_id=alice, status="ready")
        case "queued turn":
            await a_turn(pool, session, new_id(), user_id=alice, status="queued")
        case "delivery":
            await a_delivery(pool, session, new_id(), user_id=alice, status="PENDING")
        case "event":
            await an_event(pool, session, state="ready")

    assert (await clean(pool, keep=KEEP)).deleted == {}
    assert await status_of(pool, session) == "INACTIVE"


async def an_event(pool, session, *, state):
    await pool.execute(
        "INSERT INTO event_inbox (consumer, source, event_id, type, partition_key, time, state)"
        " VALUES ('c', 's', 'e', 't', $1, now(), $2)",
        session, state,
    )  # fmt: skip


async def test_a_dead_letter_goes_with_its_session(pool, alice):
    await an_event(pool, await an_old_one(pool, alice), state="dead")

    assert (await clean(pool, keep=KEEP)).deleted["event_inbox"] == 1


async def test_a_rehearsal_says_what_would_be_deleted_and_deletes_nothing(pool, alice):
    await an_old_one(pool, alice)
    await expire(pool, await a_conversation(pool, alice))
    before = await counted(pool)

    rehearsed = await clean(pool, keep=KEEP, dry_run=True)

    assert await counted(pool) == before
    done = await clean(pool, keep=KEEP)
    assert rehearsed.expired == done.expired == 1
    assert rehearsed.deleted == {table: count for table, count in done.deleted.items() if table in rehearsed.deleted}


async def test_many_are_deleted_in_small_steps(pool, alice):
    kept = await a_conversation(pool, alice, scope="kept")
    await pool.execute(
        "INSERT INTO request_sessions (session_id, user_id, scope, integration_type, status, expires_at, created_at,"
        " updated_at) SELECT 's' || n, $1, 'user', 'WEB', 'INACTIVE', now(), now() - interval '1 year', now()"
        " - interval '1 year' FROM generate_series(1, 170) n",
        alice,
    )
    await a_turn(pool, "s7", new_id(), user_id=alice, status="queued")

    cleaned = await clean(pool, keep=KEEP)

    assert cleaned.deleted["request_sessions"] == 169
    left = await pool.fetch("SELECT session_id FROM request_sessions ORDER BY session_id DESC")
    assert [row["session_id"] for row in left] == ["s7", kept]


async def test_one_process_cleans_at_a_time(pool, alice):
    await an_old_one(pool, alice)

    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", 0x5E5510)
        elsewhere = await clean(pool, keep=KEEP)
    results = await asyncio.gather(*(clean(pool, keep=KEEP) for _ in range(4)))

    assert elsewhere == Cleaned()
    assert sum(each.deleted.get("request_sessions", 0) for each in results) == 1


async def test_the_worker_cleans_soon_after_the_start(pool, alice):
    await an_old_one(pool, alice)
    policy = RetentionPolicy(keep=KEEP, interval=timedelta(hours=24), first_after=timedelta(0))

    async with Retention(pool, policy).running(), asyncio.timeout(10):
        while (await counted(pool, "request_sessions"))["request_sessions"]:  # a row sets no event
            await asyncio.sleep(0.005)
