"""A day's requests are counted where they are stored."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from self_service_agent.kit import clock
from self_service_agent.request_manager.admission import repository
from self_service_agent.request_manager.admission.quotas import Quotas
from self_service_agent.request_manager.admission.repository import Kind

ALICE, BOB = "alice", "bob"
_INSERT = """
    INSERT INTO request_logs (request_id, session_id, user_id, sequence, integration_type, request_type,
        request_content, normalized_request, created_at)
    SELECT $1, s.session_id, s.user_id, (SELECT count(*) FROM request_logs), 'WEB', 'message', 'x',
        json_build_object('integration_context', json_strip_nulls(json_build_object('tool_id', $3::text))),
        coalesce($4, now())
    FROM request_sessions s WHERE s.user_id = $2
"""


@pytest.fixture
async def stored(pool):
    """Return what stores requests of persons, made at some moment, by themselves or by a tool."""
    for user in (ALICE, BOB):
        await pool.execute("INSERT INTO users (user_id, login) VALUES ($1, $1)", user)
        await pool.execute(
            "INSERT INTO request_sessions (session_id, user_id, scope, integration_type, expires_at)"
            " VALUES ($1, $1, 'user', 'WEB', now())",
            user,
        )

    async def store(user, *, times=1, at=None, tool=None):
        for _ in range(times):
            await pool.execute(
                _INSERT,
                str(uuid4()),
                user,
                tool,
                at,
            )

    return store


async def used(quotas, caller, *, times):
    """Use the quota this often and return for which times there was none left."""
    return [(await quotas.use(caller))[1] > 0 for _ in range(times)]


async def test_what_was_stored_before_the_start_counts(pool, stored):
    await stored(ALICE, times=3)
    await stored(BOB, times=9)

    assert await used(Quotas(pool, Kind.PERSON, 5), ALICE, times=4) == [False, False, True, True]


async def test_yesterday_does_not_count_and_tomorrow_begins_anew(pool, stored):
    now = clock.now()
    await stored(ALICE, times=3, at=now - timedelta(days=1))
    quotas = Quotas(pool, Kind.PERSON, 2, now=lambda: now)

    assert await used(quotas, ALICE, times=3) == [False, False, True]
    now += timedelta(days=1)
    assert await used(quotas, ALICE, times=3) == [False, False, True]


async def test_a_tools_requests_are_the_tools_and_not_the_persons(pool, stored):
    await stored(ALICE, times=4, tool="hr-system")
    await stored(BOB, times=1, tool="snow-integration")
    await stored(BOB, times=5)

    assert await used(Quotas(pool, Kind.TOOL, 5), "hr-system", times=2) == [False, True]
    assert await used(Quotas(pool, Kind.TOOL, 5), "snow-integration", times=5) == [False] * 4 + [True]
    assert await used(Quotas(pool, Kind.PERSON, 1), ALICE, times=2) == [False, True]


async def test_all_that_come_at_once_share_one_quota(pool, stored):
    await stored(ALICE, times=10)
    quotas = Quotas(pool, Kind.PERSON, 25)

    waits = await asyncio.gather(*(quotas.use(ALICE) for _ in range(40)))

    assert sum(wait == 0 for _, wait in waits) == 15


async def test_a_caller_is_told_what_is_left_until_midnight(pool):
    quotas = Quotas(pool, Kind.PERSON, 5, now=lambda: datetime(2026, 3, 1, 23, 59, tzinfo=UTC))

    assert await quotas.use(ALICE) == (b'"day";r=4;t=60', 0)


async def test_what_another_process_admits_is_known_after_ten_seconds(pool, stored):
    elapsed = 0.0
    quotas = Quotas(pool, Kind.PERSON, 5, elapsed=lambda: elapsed)
    assert await used(quotas, ALICE, times=1) == [False]
    await stored(ALICE, times=4)  # by the other process, and by this one

    assert await used(quotas, ALICE, times=1) == [False]
    elapsed += 10
    await stored(ALICE)
    assert await used(quotas, ALICE, times=1) == [True]


async def test_what_is_counted_where_it_is_stored_is_not_counted_here_any_more(pool, stored):
    elapsed = 0.0
    quotas = Quotas(pool, Kind.PERSON, 5, elapsed=lambda: elapsed)
    await used(quotas, ALICE, times=2)
    await stored(ALICE, times=2)

    elapsed += 10
    assert await used(quotas, ALICE, times=4) == [False, False, False, True]


async def test_what_was_counted_is_not_counted_again(pool, stored):
    now = clock.now()
    await stored(ALICE, times=3, at=now - timedelta(minutes=5))
    await stored(ALICE, times=2)
    first = await repository.count(pool, Kind.PERSON, ALICE, since=now - timedelta(hours=1))

    again = await repository.count(pool, Kind.PERSON, ALICE, since=first.settled_until)

    assert (first.settled, first.recent) == (3, 2)
    assert (again.settled, again.recent) == (0, 2)


@pytest.mark.parametrize(
    ("kind", "index"), [(Kind.PERSON, "request_logs_of_user"), (Kind.TOOL, "request_logs_in_order")]
)
async def test_only_the_days_own_rows_are_read(pool, kind, index):
    query = repository.statement(kind)

    lines = await pool.fetch(f"EXPLAIN {query}", ALICE, clock.now(), timedelta(seconds=10))

    plan = "\n".join(line[0] for line in lines)
    assert f"using {index}" in plan
    assert "created_at" in plan.partition("Index Cond")[2].splitlines()[0]
