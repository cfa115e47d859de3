"""Documents over HTTP: operators bring them, everybody finds what is for them, and bad input is answered as such."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from self_service_agent.agent_service.knowledge import endpoints, repository
from self_service_agent.agent_service.knowledge.library import Library
from self_service_agent.agent_service.knowledge.service import Knowledge
from self_service_agent.kit import problems
from tests.agent_service.knowledge import files
from tests.agent_service.knowledge.builders import BADGES
from tests.agent_service.sessions.builders import a_person
from tests.agent_service.sessions.conftest import caller_of

OPERATOR = {"x-caller": "operator"}
DOCUMENT = "/api/v1/knowledge/office/badges.md"
SEARCH = "/api/v1/knowledge/search?base=office&q=What does a new badge cost"


@pytest.fixture
async def api(pool) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client that calls as alice unless a header says otherwise."""
    app = FastAPI()
    problems.install(app, endpoints.PROBLEMS)
    app.include_router(endpoints.router)
    app.state.caller_of = caller_of
    app.state.library, app.state.knowledge = Library(pool), Knowledge(pool)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers={"x-caller": "alice"}) as client:
        yield client


async def put(api, path=DOCUMENT, content=BADGES, media_type="text/markdown"):
    return await api.put(path, content=content, headers=OPERATOR | {"content-type": media_type})


async def test_a_document_is_brought_found_listed_and_removed(api, pool):
    stored = [(await put(api)).json()["change"] for _ in range(2)]
    found = (await api.get(SEARCH)).json()
    listed = (await api.get("/api/v1/knowledge/documents", headers=OPERATOR)).json()
    removed = await api.delete(DOCUMENT, headers=OPERATOR)

    assert stored == ["added", "unchanged"]
    assert found["retrieval"] == "lexical"
    assert found["passages"][0]["is_answer"]
    assert "12 euros" in found["passages"][0]["text"]
    assert [(each["base"], each["name"]) for each in listed["documents"]] == [("office", "badges.md")]
    assert removed.status_code == 204
    assert (await api.get(SEARCH)).json()["passages"] == []
    assert (await api.delete(DOCUMENT, headers=OPERATOR)).status_code == 404
    actions = await pool.fetch("SELECT action FROM audit_log ORDER BY at, id")
    assert [row["action"] for row in actions] == ["knowledge.stored", "knowledge.removed"]


async def test_what_is_for_a_group_is_found_by_those_who_are_known_to_be_in_it(api, pool):
    alice = await a_person(pool, "alice")
    await put(api, f"{DOCUMENT}?group=hr")
    outside = (await api.get(SEARCH)).json()["passages"]
    await repository.place_reader(pool, alice, groups=["hr"], regions=[])

    assert outside == []
    assert (await api.get(SEARCH)).json()["passages"][0]["title"] == "Badges"
    assert (await api.get(SEARCH, headers=OPERATOR)).json()["passages"] == []


async def test_bad_requests_are_refused_and_store_nothing(api, pool):
    refused = {
        "nobody": (await api.put(DOCUMENT, content=b"x", headers={"x-caller": "alice"})).status_code,
        "list": (await api.get("/api/v1/knowledge/documents")).status_code,
        "base": (await put(api, "/api/v1/knowledge/Agent:x/badges.md")).status_code,
        "type": (await put(api, media_type="application/x-dosexec")).status_code,
        "broken": (await put(api, content=b"%PDF-1.4", media_type="application/pdf")).status_code,
        "bomb": (await put(api, content=files.a_docx_bomb(), media_type=files.DOCX)).status_code,
        "nul": (await put(api, content=b"a\x00b")).status_code,
        "cursor": (await api.get("/api/v1/knowledge/documents?cursor=x", headers=OPERATOR)).status_code,
        "no base": (await api.get("/api/v1/knowledge/search?q=x")).status_code,
        "nul asked": (await api.get("/api/v1/knowledge/search?base=office&q=a%00b")).status_code,
    }

    assert refused == {
        "nobody": 403, "list": 403, "base": 422, "type": 422, "broken": 422, "bomb": 422, "nul": 422, "cursor": 400,
        "no base": 422, "nul asked": 422,
    }  # fmt: skip
    assert await pool.fetchval("SELECT count(*) FROM knowledge_documents") == 0
