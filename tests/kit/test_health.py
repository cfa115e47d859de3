"""A process says that it lives, that it can work, and what it counts."""

from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI

from self_service_agent.kit.health import health_of, health_service
from self_service_agent.kit.service import create_app


@pytest.fixture
def app() -> FastAPI:
    return create_app("Test", "1", health_service("test", "1.2.3"))


@asynccontextmanager
async def running(app):
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


def a_check(answer):
    async def check() -> bool:
        return answer

    return check


@pytest.mark.parametrize(("works", "status", "code"), [(True, "healthy", 200), (False, "unhealthy", 503)])
async def test_health_says_who_this_is_and_whether_it_works(app, *, works, status, code):
    async def facts():
        return {"more": 1}

    async with running(app) as client:
        health_of(app).checks["part"] = a_check(works)
        health_of(app).facts.append(facts)
        summary = (await client.get("/health")).json()
        detailed = (await client.get("/health/detailed")).json()
        ready = await client.get("/readyz")
        alive = await client.get("/livez")

    assert summary == {
        "status": status, "service": "test", "version": "1.2.3", "timestamp": summary["timestamp"], "more": 1
    }  # fmt: skip
    assert detailed["checks"] == {"part": works}
    assert (ready.status_code, ready.json()["checks"]) == (code, {"part": works})
    assert alive.json() == {"status": "alive"}


async def test_a_process_that_shuts_down_is_not_ready(app):
    async with running(app) as client:
        assert (await client.get("/readyz")).status_code == 200
        health_of(app).ready = False
        assert (await client.get("/readyz")).status_code == 503


async def test_the_counters_have_prometheus_text_format(app):
    async with running(app) as client:
        answer = await client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert "# HELP" in answer.text
