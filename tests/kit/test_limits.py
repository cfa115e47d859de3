"""What is too large is refused, whether or not it says so first, and what does not come is not waited for."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI, Request

from self_service_agent.kit import problems
from self_service_agent.kit.http.limits import RequestLimit

LIMIT = 1_000


@pytest.fixture
async def client():
    app = FastAPI()
    app.add_middleware(RequestLimit, limit=LIMIT, patience=timedelta(milliseconds=50))
    problems.install(app)

    @app.post("/")
    async def measure(request: Request) -> int:
        return len(await request.body())

    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def in_pieces(size):
    for _ in range(size // 100):
        yield b"x" * 100


@pytest.mark.parametrize("size", [0, 1, LIMIT])
async def test_a_body_up_to_the_limit_is_read(client, size):
    assert (await client.post("/", content=b"x" * size)).json() == size


async def test_a_body_of_unknown_length_up_to_the_limit_is_read(client):
    assert (await client.post("/", content=in_pieces(LIMIT))).json() == LIMIT


@pytest.mark.parametrize("content", [b"x" * (LIMIT + 1), in_pieces(LIMIT + 100)])
async def test_a_larger_body_is_refused(client, content):
    answer = await client.post("/", content=content)

    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert answer.json()["error"] == f"A request may have at most {LIMIT} bytes."


async def test_headers_beyond_the_limit_are_refused(client):
    answer = await client.post("/", headers={"x-much": "x" * 70_000})

    assert (answer.status_code, answer.headers["content-type"]) == (431, "application/problem+json")


async def test_a_body_that_does_not_come_is_not_waited_for(client):
    async def never_ending():
        yield b"x"
        await asyncio.Event().wait()

    answer = await client.post("/", content=never_ending())

    assert (answer.status_code, answer.json()["error"]) == (408, "The body did not come in time.")
