"""What is recorded is written: soon, at the end at the latest, and even if the database was away."""

import asyncio

import pytest
from structlog.testing import capture_logs

from self_service_agent.shared_models.audit import log
from self_service_agent.shared_models.audit.entries import ActorKind, Outcome
from self_service_agent.shared_models.audit.log import AuditLog, record_within
from tests.request_manager.audit.builders import NOON, Clock, a_refusal, an_act, eventually


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def audit(pool, clock):
    return AuditLog(pool, now=clock)


async def rows(pool):
    return [dict(row) for row in await pool.fetch("SELECT * FROM audit_log ORDER BY at, id")]


async def test_an_entry_is_written_soon_and_whole(pool, audit):
    async with audit.running():
        audit.record(
            an_act(target="k", reason="because", address="192.0.2.7", correlation_id="c", details={"roles": ["user"]})
        )
        (row,) = await eventually(lambda: rows(pool), within=5)

    assert row.pop("id")
    assert row == {
        "at": NOON, "actor": "alice.johnson", "actor_kind": ActorKind.PERSON, "action": "key.create", "target": "k",
        "outcome": Outcome.ALLOWED, "reason": "because", "address": "192.0.2.7", "correlation_id": "c",
        "details": '{"roles": ["user"]}', "occurrences": 1,
    }  # fmt: skip


async def test_what_is_pending_at_the_end_is_written_then(pool, audit, clock):
    async with audit.running():
        for number in range(300):
            audit.record(an_act(target=str(number)))
            clock.forward(microseconds=1)

    assert [row["target"] for row in await rows(pool)] == [str(number) for number in range(300)]


async def test_a_flood_of_one_refusal_is_one_line_with_its_count(pool, audit, clock):
    async with audit.running():
        for _ in range(50):
            for _ in range(100):
                audit.record(a_refusal())
            clock.forward(seconds=1)
            await audit.flush()

    (row,) = await rows(pool)
    assert (row["occurrences"], row["at"], row["address"]) == (5_000, NOON, "192.0.2.7")


async def test_a_flood_of_many_refusals_stays_small(pool, audit):
    async with audit.running():
        for number in range(20_000):
            audit.record(a_refusal(address=f"192.0.2.{number}", reason=f"reason {number}"))

    assert await pool.fetchval("SELECT sum(occurrences) FROM audit_log") == 20_000
    assert await pool.fetchval("SELECT count(*) FROM audit_log") == 1_001


async def test_nobody_waits_for_the_database(pool, audit, clock):
    async with audit.running(), pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE audit_log IN ACCESS EXCLUSIVE MODE")
        audit.record(an_act(target="1"))
        await eventually(lambda: pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        clock.forward(microseconds=1)
        audit.record(an_act(target="2"))

    assert [row["target"] for row in await rows(pool)] == ["1", "2"]


async def test_a_refusal_that_repeats_while_it_is_written_is_counted(pool, audit):
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE audit_log IN ACCESS EXCLUSIVE MODE")
        audit.record(a_refusal())
        writing = asyncio.ensure_future(audit.flush())
        await eventually(lambda: pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        audit.record(a_refusal())
    await writing
    await audit.flush()

    assert [row["occurrences"] for row in await rows(pool)] == [2]


async def test_what_the_database_did_not_take_is_written_when_it_does(pool, audit, clock):
    await pool.execute("ALTER TABLE audit_log RENAME TO gone")
    with capture_logs() as logs:
        async with audit.running():
            audit.record(an_act(target="1"))
            await eventually(lambda: asyncio.sleep(0, logs))
            await pool.execute("ALTER TABLE gone RENAME TO audit_log")
            clock.forward(microseconds=1)
            audit.record(an_act(target="2"))

    assert [row["target"] for row in await rows(pool)] == ["1", "2"]
    assert logs[0]["event"] == "audit.database_unavailable"


async def test_what_can_never_be_written_keeps_nobody_else_back(pool, audit, clock):
    await pool.execute("ALTER TABLE audit_log ADD CHECK (target <> 'bad')")
    with capture_logs() as logs:
        async with audit.running():
            for target in ("1", "bad", "2"):
                audit.record(an_act(target=target))
                clock.forward(microseconds=1)

    assert [row["target"] for row in await rows(pool)] == ["1", "2"]
    assert [entry["event"] for entry in logs] == ["audit.entry_rejected"]


async def test_what_does_not_fit_into_memory_is_counted(pool, audit):
    for number in range(log.PENDING_LIMIT + 7):
        audit.record(an_act(target=str(number)))

    await audit.flush()

    assert await pool.fetchval("SELECT count(*) FROM audit_log") == log.PENDING_LIMIT + 1
    lost = await pool.fetchrow("SELECT outcome, details FROM audit_log WHERE action = 'audit.entries_lost'")
    assert tuple(lost) == ("failed", '{"entries": 7}')


async def test_what_is_lost_at_the_end_is_said(pool, audit):
    await pool.execute("DROP TABLE audit_log")
    with capture_logs() as logs:
        async with audit.running():
            audit.record(an_act())

    assert (logs[-1]["event"], logs[-1]["entries"]) == ("audit.not_written", 1)


async def test_an_act_and_its_entry_are_there_together_or_not_at_all(pool):
    for ends in ("COMMIT", "ROLLBACK"):
        async with pool.acquire() as connection:
            await connection.execute("BEGIN")
            await connection.execute("INSERT INTO users (user_id) VALUES ($1)", ends)
            await record_within(connection, an_act(target=ends))
            await connection.execute(ends)

    assert [row["target"] for row in await rows(pool)] == ["COMMIT"]
    assert await pool.fetchval("SELECT count(*) FROM users") == 1
