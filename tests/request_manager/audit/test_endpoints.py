"""Administrators read who did what, newest first, page by page."""

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI, Request

from self_service_agent.kit import problems
from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.audit.endpoints import router
from self_service_agent.shared_models.audit.entries import AuditLine, Outcome
from self_service_agent.shared_models.audit.repository import store
from self_service_agent.shared_models.users import find_or_add, user_id_of
from tests.request_manager.audit.builders import NOON, a_refusal, an_act

MINUTE = timedelta(minutes=1)
AT = "2026-11-20T12:0{}:00Z"


async def authorize_admin(request: Request) -> None:
    if request.headers.get("x-caller") != "admin":
        raise Problem(403)


@pytest.fixture
async def api(pool):
    """Yield a client that calls as an administrator."""
    app = FastAPI()
    problems.install(app)
    app.include_router(router)
    app.state.authorize_admin, app.state.audit_pool = authorize_admin, pool
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers={"x-caller": "admin"}) as client:
        yield client


@pytest.fixture
async def entries(pool):
    """Store six entries, one a minute, and two of the same moment."""
    acts = [
        an_act(target="0"),
        an_act(target="1", action="key.revoke"),
        a_refusal(target="2"),
        an_act(target="3", actor="john.doe", outcome=Outcome.FAILED, details={"count": 1}),
        a_refusal(target="4", actor="john.doe"),
        an_act(target="5"),
    ]
    lines = [AuditLine(id=f"id-{number}", at=NOON + number * MINUTE, entry=act) for number, act in enumerate(acts)]
    twins = [replace(lines[-1], id=f"id-{number}", entry=an_act(target=str(number))) for number in (6, 7)]
    await store(pool, [*lines, *twins])


async def targets(api, query=""):
    return [entry["target"] for entry in (await api.get(f"/api/v1/audit{query}")).json()["entries"]]


async def test_an_entry_is_shown_whole(api, entries):
    answer = await api.get("/api/v1/audit", params={"outcome": "failed"})

    assert answer.json() == {
        "entries": [
            {
                "id": "id-3", "at": AT.format(3), "actor": "john.doe", "actor_kind": "person", "action": "key.create",
                "target": "3", "outcome": "failed", "reason": None, "address": None, "correlation_id": None,
                "details": {"count": 1}, "occurrences": 1,
            }
        ],
        "next_cursor": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "76543210"),
        ("?actor=john.doe", "43"),
        ("?actor=nobody", ""),
        ("?action=key.revoke", "1"),
        ("?outcome=refused", "42"),
        ("?outcome=refused&actor=john.doe", "4"),
        (f"?since={AT.format(4)}", "7654"),
        (f"?until={AT.format(2)}", "10"),
        (f"?since={AT.format(1)}&until={AT.format(4)}&action=key.create", "3"),
    ],
)
async def test_filters(api, entries, query, found):
    assert await targets(api, query) == list(found)


@pytest.mark.parametrize("name", ["alice.johnson", "Alice@Company.com", user_id_of("alice.johnson")])
async def test_a_person_is_found_by_any_of_their_names(api, pool, name):
    person = await find_or_add(pool, login="alice.johnson", email="alice@company.com")
    acts = [an_act(actor=person.user_id, target="hers"), an_act(actor="john.doe", target="his")]
    await store(pool, [AuditLine(id=str(number), at=NOON, entry=act) for number, act in enumerate(acts)])

    assert await targets(api, f"?actor={name}") == ["hers"]


@pytest.mark.parametrize("limit", [1, 2, 3, 8])
@pytest.mark.parametrize("query", ["", "&action=key.create", f"&since={AT.format(1)}"])
async def test_pages_hold_every_entry_once(api, entries, limit, query):
    pages, cursor = [], ""
    while cursor is not None:
        following = f"&cursor={cursor}" if cursor else ""
        answer = (await api.get(f"/api/v1/audit?limit={limit}{query}{following}")).json()
        pages.append([entry["target"] for entry in answer["entries"]])
        cursor = answer["next_cursor"]

    assert [target for page in pages for target in page] == await targets(api, f"?limit=200{query}")
    assert {len(page) for page in pages[:-1]} <= {limit}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("outcome=maybe", 422),
        ("since=2026-11-20T12:00:00", 422),
        ("limit=201", 422),
        ("actor=a%00b", 422),
        ("cursor=x", 400),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(api, query, status):
    assert (await api.get(f"/api/v1/audit?{query}")).status_code == status


async def test_nobody_else_reads_it(api):
    assert (await api.get("/api/v1/audit", headers={"x-caller": "alice.johnson"})).status_code == 403


@pytest.mark.parametrize("query", ["", "?actor=john.doe", "?action=key.create", "?outcome=refused"])
async def test_a_page_is_read_through_an_index(pool, api, query):
    await pool.execute(
        "INSERT INTO audit_log (id, at, actor, actor_kind, action, outcome) SELECT i::text, now() - i * interval '1 s',"
        " 'actor-' || i % 1000, 'person', 'action-' || i % 100, 'allowed' FROM generate_series(1, 20000) i"
    )
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
    before = await _tuples_read(pool)

    await api.get(f"/api/v1/audit{query}")

    assert await _tuples_read(pool) - before < 500


async def _tuples_read(pool):
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
    return await pool.fetchval(
        "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables"
        " WHERE relname = 'audit_log'"
    )
