"""Requests are found again: one's own, newest first, page by page, and anybody's by those who may."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from self_service_agent.request_manager.requests import searching
from tests.acceptance.house import House

REQUESTS = """
    WITH person AS (
        INSERT INTO users (user_id, login) VALUES ('p', 'busy.person')
    ), session AS (
        INSERT INTO request_sessions (session_id, user_id, scope, integration_type, expires_at)
        VALUES ('s', 'p', 'user', 'WEB', now())
    )
    INSERT INTO request_logs (request_id, session_id, user_id, sequence, integration_type, request_type,
        request_content, normalized_request, status, agent_id, created_at)
    SELECT 'r' || n, 's', 'p', n, 'WEB', 'message', 'question ' || n, '{}', 'completed', 'an-agent',
        timestamptz '2026-01-01 00:00Z' + n * interval '1 minute'
    FROM generate_series(1, $1::int) n
"""


@pytest.fixture
async def house(houses):
    """Return a house with three requests of one person and one of another."""
    house = await houses()
    for content in ("one", "two"):
        await house.ask(content)
    await house.ask("three", door="cli", body={"metadata": {}})
    await house.ask("other", user="john.doe")
    return house


async def listed(house: House, query="", *, user="alice.johnson"):
    answer = await house.get(f"/api/v1/requests{query}", user=user)
    assert answer.status_code == 200, answer.text
    return [request["content"] for request in answer.json()["requests"]]


async def test_everybody_sees_their_own_requests_newest_first(house):
    answer = (await house.get("/api/v1/requests")).json()

    assert [request["content"] for request in answer["requests"]] == ["three", "two", "one"]
    assert answer["next_cursor"] is None
    newest = answer["requests"][0]
    assert (newest["status"], newest["agent_id"], newest["response_content"]) == (
        "completed", "scripted", "echo: three",
    )  # fmt: skip
    assert newest["integration_type"] == "CLI"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("?integration_type=cli", ["three"], id="one type in any case"),
        pytest.param("?integration_types=CLI,WEB&limit=2", ["three", "two"], id="several types"),
        pytest.param("?integration_type=CLI&integration_type=SLACK", ["three"], id="the same name twice"),
        pytest.param("?agent_id=scripted&limit=1", ["three"], id="agent"),
        pytest.param("?agent_id=nobody", [], id="an agent that answered nothing"),
        pytest.param("?status=completed,failed&limit=1&offset=1", ["two"], id="status and offset"),
        pytest.param("?status=pending&status=processing", [], id="nothing is open"),
        pytest.param("?start_date=2020-01-01&end_date=2020-12-31", [], id="days"),
        pytest.param("?start_date=2020-01-01T00:00:00", ["three", "two", "one"], id="a moment without a zone"),
        pytest.param("?user_id=ALICE.johnson&user_email=alice.johnson@company.com", ["three", "two", "one"], id="self"),
        pytest.param("?session_id=unknown", [], id="no such session"),
    ],
)
async def test_filters_narrow_the_list(house, query, found):
    assert await listed(house, query) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", ["other", "three", "two", "one"], id="everybody's"),
        pytest.param("?user_id=john.doe", ["other"], id="by login"),
        pytest.param("?user_email=John.Doe@company.com", ["other"], id="by e-mail"),
        pytest.param("?user_id=nobody", [], id="nobody's"),
        pytest.param("?user_id=john.doe&user_email=alice.johnson@company.com", [], id="two names of different people"),
    ],
)
async def test_an_administrator_sees_everybodys(house, query, found):
    assert await listed(house, query, user="web-admin") == found


@pytest.mark.parametrize("query", ["?user_id=john.doe", "?user_email=john.doe@company.com"])
async def test_nobody_else_sees_what_is_not_theirs(house, query):
    session = await house.value("SELECT session_id FROM request_logs WHERE request_content = 'other'")

    assert (await house.get(f"/api/v1/requests{query}")).status_code == 403
    assert await listed(house, f"?session_id={session}") == []
    assert await listed(house, f"?session_id={session}", user="john.doe") == ["other"]


async def test_an_open_request_is_found_by_how_far_it_is(house):
    gate = house.taker.hold("slow")
    await house.ask("slow", query="?async=1")
    await house.taker.begun["slow"].wait()
    await house.ask("behind", query="?async=1")

    assert await listed(house, "?status=processing") == ["slow"]
    assert await listed(house, "?status=pending") == ["behind"]
    gate.set()


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0", "?limit=201", "?offset=-1", "?offset=10001", "?status=done", "?integration_type=pigeon",
        "?start_date=yesterday", "?end_date=9999-12-31T23:00:00-05:00", "?user_id=", "?session_id=a%00b",
    ],
)  # fmt: skip
async def test_what_cannot_be_meant_is_refused(house, query):
    assert (await house.get(f"/api/v1/requests{query}")).status_code == 422


@pytest.mark.parametrize("cursor", ["", "x", "e30", "eyJzZXNzaW9uX2lkIjoiYSIsImF0IjoiMjAyNi0wMS0wMSIsIm51bWJlciI6MX0"])
async def test_a_cursor_that_was_not_given_out_is_refused(house, cursor):
    assert (await house.get(f"/api/v1/requests?cursor={cursor}")).status_code == 400


@pytest.mark.parametrize("query", ["", "&session_id=s", "&user_id=busy.person", "&agent_id=an-agent"])
async def test_pages_follow_each_other_without_gaps(houses, query):
    house = await houses(agents=False)
    await house.rows(REQUESTS, 25)

    pages = await all_pages(house, f"limit=10{query}")

    assert [len(page) for page in pages] == [10, 10, 5]
    assert [content for page in pages for content in page] == [f"question {n}" for n in range(25, 0, -1)]


async def test_a_page_is_found_without_looking_through_everything(houses):
    house = await houses(agents=False)
    await house.rows(REQUESTS, searching.WINDOW + 100)
    await house.rows("UPDATE request_logs SET agent_id = 'rare' WHERE sequence IN (1, $1)", searching.WINDOW)

    assert await all_pages(house, "agent_id=rare") == [[f"question {searching.WINDOW}"], ["question 1"]]
    assert await all_pages(house, "session_id=s&end_date=2026-01-01T00:02Z") == [[], ["question 1"]]
    foreign = (await house.get("/api/v1/requests?session_id=s&agent_id=rare")).json()
    assert foreign == {"requests": [], "next_cursor": None}


async def test_the_days_of_a_list_include_the_last(houses):
    house = await houses(agents=False)
    await house.rows(REQUESTS, 24 * 60 * 2)
    two = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1)

    answer = await listed(house, "?start_date=2026-01-01&end_date=2026-01-01&limit=1", user="web-admin")
    later = await listed(house, f"?start_date={two:%Y-%m-%dT%H:%M:%SZ}&limit=1&offset=1440", user="web-admin")

    assert (answer, later) == (["question 1439"], ["question 1440"])


async def test_each_list_is_read_from_its_own_index(houses):
    """Whatever statistics the server has: the plans are looked at on an empty table."""
    house = await houses(agents=False)
    windows = {"everybodys": searching.EVERYBODYS, "own": searching.ONES_OWN, "session": searching.SESSIONS}
    plans = {name: await plan_of(house, window.page) for name, window in windows.items()}

    assert "request_logs_in_order" in plans["everybodys"]
    assert "request_logs_of_user" in plans["own"]
    assert "request_logs_of_session" in plans["session"]
    assert not any("Sort" in plan for plan in plans.values())


async def plan_of(house, statement):
    given = dict.fromkeys(statement.names) | {"user_id": "p", "session_id": "s", "limit": 51, "offset": 0}
    async with house.platform.pools.durable.acquire() as connection:
        query = f"EXPLAIN {statement.text}"
        return "\n".join(row[0] for row in await connection.fetch(query, *statement.arguments(given)))


async def all_pages(house, query):
    """Return the contents of every page, by following the cursors."""
    pages, cursor = [], ""
    async with asyncio.timeout(10):
        while cursor is not None:
            answer = (await house.get(f"/api/v1/requests?{query}{cursor}", user="web-admin")).json()
            pages.append([request["content"] for request in answer["requests"]])
            cursor = answer["next_cursor"] and f"&cursor={answer['next_cursor']}"
    return pages
