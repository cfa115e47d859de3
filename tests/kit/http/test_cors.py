"""Pages of others are kept out by browsers, but those of the origins that are named."""

import httpx2
import pytest
from fastapi import APIRouter, Response
from pydantic import BaseModel

from self_service_agent.cli.server import BrowserSettings, security_headers
from self_service_agent.kit.http.answers import ANSWER_HEADERS
from self_service_agent.kit.http.light import JsonResponse, LightRequest, LightRoute, admitted_by
from self_service_agent.kit.problems import Problem, problem_response
from self_service_agent.kit.service import Service, create_app, open_to
from self_service_agent.kit.settings import SettingsError, read

DESK, STRANGER = "https://desk.example.com", "https://elsewhere.example.com"


class Question(BaseModel):
    text: str


async def anybody(request: LightRequest) -> None:
    if "authorization" not in request.headers:
        raise Problem(401)


light = APIRouter(prefix="/api/v1/light", route_class=LightRoute)
usual = APIRouter()


@light.post("")
@admitted_by(anybody)
async def ask(request: LightRequest, body: Question) -> Response:
    request.scope[ANSWER_HEADERS] = [(b"ratelimit", b'"rate";r=1;t=1')]
    return JsonResponse(b"{}")


@usual.get("/api/v1/usual")
async def usual_answer() -> dict[str, str]:
    return {}


@usual.get("/api/v1/cached")
async def cached_answer(response: Response) -> dict[str, str]:
    response.headers["cache-control"] = "max-age=60"
    return {}


@usual.get("/outside")
async def outside() -> dict[str, str]:
    return {}


def client(origins=(), gate=None):
    app = create_app("Test", "0", [Service(name="test", open=None, routers=(light, usual))])
    app.state.gate = gate
    served = open_to(origins, app) if origins else app
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=served), base_url="http://test")


async def ask_from(origin, *, origins=(), key="Bearer x"):
    async with client(origins) as http:
        headers = {"origin": origin} | ({"authorization": key} if key else {})
        return await http.post("/api/v1/light", json={"text": "hello"}, headers=headers)


async def test_without_origins_no_page_of_others_is_let_in():
    answer = await ask_from(DESK)

    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("key", [pytest.param("Bearer x", id="answer"), pytest.param(None, id="problem")])
async def test_a_page_of_a_named_origin_reads_answers_and_problems(key):
    answer = await ask_from(DESK, origins=(DESK,), key=key)

    assert answer.status_code == (200 if key else 401)
    assert answer.headers["access-control-allow-origin"] == DESK
    assert "ratelimit" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_page_of_another_origin_is_named_by_nothing():
    answer = await ask_from(STRANGER, origins=(DESK,))

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(("origin", "status"), [(DESK, 200), (STRANGER, 400)])
async def test_a_browser_that_asks_first_is_told_what_it_may_send(origin, status):
    async with client((DESK,)) as http:
        answer = await http.options(
            "/api/v1/light",
            headers={
                "origin": origin,
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization,content-type,idempotency-key",
            },
        )

    assert answer.status_code == status
    assert answer.headers.get("access-control-allow-origin") == (DESK if status == 200 else None)


async def test_a_page_can_read_that_the_gate_refuses():
    async def gate(app, scope, receive, send):
        await problem_response(Problem(503))(scope, receive, send)

    async with client((DESK,), gate) as http:
        answer = await http.get("/api/v1/usual", headers={"origin": DESK})

    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (503, DESK)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/usual", "no-store"),
        ("/api/v1/nowhere", "no-store"),
        ("/api/v1/cached", "max-age=60"),
        ("/outside", None),
    ],
)
async def test_answers_of_the_api_are_not_stored_unless_they_say_so(path, expected):
    async with client() as http:
        answer = await http.get(path)

    assert answer.headers.get("cache-control") == expected


@pytest.mark.parametrize("key", ["Bearer x", None])
async def test_nor_are_those_of_light_routes(key):
    answer = await ask_from(DESK, key=key)

    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert answer.headers.get("ratelimit") == ('"rate";r=1;t=1' if key else None)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        (DESK, (DESK,)),
        (f"{DESK}, http://localhost:8090,", (DESK, "http://localhost:8090")),
        (f'["{DESK}", "http://[::1]:8090"]', (DESK, "http://[::1]:8090")),
        ("*", ("*",)),
    ],
)
def test_origins_are_a_list_with_commas_or_in_json(monkeypatch, text, origins):
    monkeypatch.setenv("CORS_ORIGINS", text)

    assert read(BrowserSettings).allowed_origins(is_production=False) == origins


@pytest.mark.parametrize(
    "text",
    ["desk.example.com", "https://desk.example.com/", "https://*.example.com", "null", "[1]", '["x"', "HTTPS://A"],
)
def test_what_is_no_origin_is_refused(monkeypatch, text):
    monkeypatch.setenv("CORS_ORIGINS", text)

    with pytest.raises(SettingsError, match="CORS_ORIGINS"):
        read(BrowserSettings)


def test_everybodys_pages_are_for_development():
    settings = BrowserSettings(cors_origins="*")

    with pytest.raises(SettingsError, match="CORS_ORIGINS"):
        settings.allowed_origins(is_production=True)


@pytest.mark.parametrize("is_production", [True, False])
def test_browsers_are_told_to_come_back_encrypted_in_production_only(is_production):
    names = {name for name, _ in security_headers(is_production=is_production)}

    assert ("strict-transport-security" in names) is is_production
    assert {"x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy"} < names
