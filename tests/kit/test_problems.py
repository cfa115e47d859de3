"""Every error of an app is a problem document, and none of them gives anything away."""

import json
from contextlib import asynccontextmanager
from datetime import datetime

import httpx2
import pytest
import structlog
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Route

from self_service_agent.kit.problems import Problem, install, problem_response
from tests.kit.failing_app import ERRORS, Missing, an_app


def in_request(app, request_id):
    """Return `app` behind something that gives each request an id, as a server's middleware would."""

    async def named(scope, receive, send):
        await app(scope | {"state": {"request_id": request_id}}, receive, send)

    return named


@asynccontextmanager
async def client_of(app):
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client:
        yield client


async def get(path, app=None):
    async with client_of(app or an_app()) as client:
        return await client.get(path)


def members(response):
    """Return the document without its timestamp, once that is seen to be a moment."""
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert datetime.fromisoformat(document.pop("timestamp")).tzinfo is not None
    return document


def a_document(status, title, **more):
    """Return the document that stands for `status`, without its timestamp."""
    document = {"type": "about:blank", "title": title, "status": status, "error_code": f"HTTP_{status}"} | more
    return document | {"error": document.get("detail", title)}


@pytest.mark.parametrize(
    ("path", "document"),
    [
        pytest.param(
            "/errors/problem",
            a_document(409, "Too late", type="https://errors.example/late", detail="already decided", n=1),
            id="a problem",
        ),
        pytest.param("/errors/http", a_document(401, "Unauthorized", detail="no credential"), id="an HTTP exception"),
        pytest.param("/errors/bare", a_document(403, "Forbidden"), id="an HTTP exception without words"),
        pytest.param(
            "/errors/structured",
            a_document(400, "Bad Request", details={"reason": "odd"}),
            id="an HTTP exception with a structure",
        ),
        pytest.param("/errors/unnamed", a_document(499, "Error"), id="a status without a name"),
        pytest.param("/errors/missing", a_document(404, "Not Found", detail="no such delivery"), id="a domain error"),
        pytest.param("/nowhere", a_document(404, "Not Found"), id="an unknown path"),
        pytest.param("/shelters", a_document(405, "Method Not Allowed"), id="an unknown method"),
        pytest.param(
            "/errors/surprise",
            a_document(500, "Internal Server Error", error_code="INTERNAL_ERROR"),
            id="a surprise",
        ),
    ],
)
async def test_an_error_is_a_problem(path, document):
    response = await get(path)

    assert (response.status_code, members(response)) == (document["status"], document)


@pytest.mark.parametrize(
    ("path", "header", "value"),
    [
        ("/errors/problem", "x-a", "b"),
        ("/errors/http", "www-authenticate", "Bearer"),
        ("/shelters", "allow", "POST"),
        ("/errors/busy", "retry-after", "2"),
        ("/errors/busier", "retry-after", "1"),
    ],
)
async def test_the_headers_of_an_error_are_kept(path, header, value):
    assert (await get(path)).headers[header] == value


async def test_the_words_of_a_failure_of_ours_are_not_told():
    assert "later" not in (await get("/errors/busy")).text


async def test_an_error_without_a_body_has_none():
    response = await get("/errors/empty")

    assert (response.status_code, response.headers["etag"], response.content) == (304, "x", b"")


@pytest.mark.parametrize("path", ["/errors/problem", "/errors/surprise"])
async def test_a_problem_names_its_request(path):
    response = await get(path, in_request(an_app(), "r-1"))

    assert response.json()["request_id"] == "r-1"


async def test_a_problem_names_the_request_bound_for_the_logs():
    with structlog.contextvars.bound_contextvars(request_id="r-2"):
        response = await get("/nowhere")

    assert response.json()["request_id"] == "r-2"


@pytest.mark.parametrize(
    ("query", "body", "details"),
    [
        pytest.param(
            "?limit=secret-a",
            '{"cats":[{"name":"secret-b","age":"secret-c"}]}',
            [
                {"field": "limit", "message": "Input should be a valid integer, unable to parse string as an integer"},
                {"field": "cats.0.name", "message": "String should have at least 9 characters"},
                {
                    "field": "cats.0.age",
                    "message": "Input should be a valid integer, unable to parse string as an integer",
                },
            ],
            id="fields",
        ),
        pytest.param("", "{secret-d", [{"field": "body", "message": "JSON decode error"}], id="no JSON"),
        pytest.param("", "", [{"field": "body", "message": "Field required"}], id="no body"),
    ],
)
async def test_a_request_of_the_wrong_form_is_told_its_fields_but_not_its_values(query, body, details):
    async with client_of(an_app()) as client:
        response = await client.post(f"/shelters{query}", content=body, headers={"content-type": "application/json"})

    assert (response.status_code, members(response)["details"]) == (422, details)
    assert "secret" not in response.text


async def test_a_body_that_grows_over_the_limit_is_a_problem():
    async def pieces():
        for _ in range(3):
            yield b" " * 500

    async with client_of(an_app()) as client:
        response = await client.post("/shelters", content=pieces(), headers={"content-type": "application/json"})

    assert members(response)["error_code"] == "HTTP_413"


async def test_a_surprise_is_logged_once_with_its_traceback():
    with structlog.testing.capture_logs() as logs:
        await get("/errors/surprise")

    assert logs == [
        {
            "event": "http.request_failed",
            "log_level": "error",
            "method": "GET",
            "path": "/errors/surprise",
            "request_id": None,
            "exc_info": ERRORS["surprise"],
        }
    ]


async def test_a_problem_is_not_logged():
    with structlog.testing.capture_logs() as logs:
        await get("/errors/problem")

    assert logs == []


async def test_a_problem_of_a_middleware_is_a_problem():
    app = FastAPI()

    @app.middleware("http")
    async def guard(_request, _next):
        raise Problem(401, "no credential")

    install(app)

    assert members(await get("/", app))["error_code"] == "HTTP_401"


async def test_an_answer_that_has_begun_is_cut():
    with pytest.raises(RuntimeError, match="cut"):
        await get("/stream")


async def test_a_plain_handler_can_answer_with_a_problem():
    async def handler(_request):
        return problem_response(Problem(410, "expired"), "r-3")

    response = await get("/", Starlette(routes=[Route("/", handler)]))

    assert (response.status_code, members(response)["request_id"]) == (410, "r-3")


async def test_what_is_not_http_passes_through():
    seen = []

    async def inner(scope, _receive, _send):
        seen.append(scope["type"])

    app = Starlette()
    install(app)
    app.router.lifespan = inner

    await app({"type": "lifespan", "app": app}, None, None)

    assert seen == ["lifespan"]


def test_a_problem_reads_as_what_it_says():
    assert [str(Problem(404, "gone")), str(Problem(404, title="Gone")), str(Problem(404))] == [
        "gone",
        "Gone",
        "Not Found",
    ]


def test_a_problem_carries_any_further_member_but_keeps_its_own():
    response = problem_response(Problem(400, extra={"status": 1, "cause": Missing("gone")}))

    document = json.loads(response.body)
    assert (document["status"], document["cause"]) == (400, "gone")
