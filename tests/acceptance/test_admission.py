"""Who asks too much is told so and when to come back; who asks little does not notice."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2
import pytest

from self_service_agent.request_manager.admission.service import Admission, creations
from self_service_agent.request_manager.admission.settings import AdmissionSettings
from tests.acceptance.house import OTHER_TOOL_KEY, TOOL_KEY, as_person, eventually, gather_ordered
from tests.cli import command

_OFF = {
    "rate_limit_per_minute": 0,
    "tool_rate_limit_per_minute": 0,
    "max_in_flight_per_caller": 0,
    "max_in_flight": 0,
    "max_loop_lag_seconds": 0,
}


@asynccontextmanager
async def limited(house, **limits):
    """Have only these limits at a house."""
    admission = Admission(AdmissionSettings(**_OFF | limits), house.platform.pools.durable)
    house.app.state.request_manager = replace(house.app.state.request_manager, admission=admission)
    with admission.running(house.app):
        yield


async def ask_as_tool(house, tool_id="snow-integration", *, key=TOOL_KEY, user="alice.johnson"):
    body = {"user_id": user, "content": "hello", "tool_id": tool_id}
    return await house.client.post("/api/v1/requests/tool", json=body, headers={"x-api-key": key})


def statuses(answers):
    return [answer.status_code for answer in answers]


async def test_who_asks_too_fast_is_told_when_to_come_back_and_nobody_else_is_held_up(house):
    async with limited(house, rate_limit_per_minute=6, rate_limit_burst=3):
        answers = [await house.ask(f"question {number}") for number in range(5)]
        other = await house.ask("question", user="john.doe")

    refused = answers[-1]
    assert statuses([*answers, other]) == [200, 200, 200, 429, 429, 200]
    assert refused.headers["retry-after"] in {"9", "10"}
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["violated-policies"] == ["rate"]
    assert answers[0].headers["ratelimit-policy"] == '"rate";q=3;w=30'
    assert [answer.headers["ratelimit"][:10] for answer in answers[:4]] == [f'"rate";r={left}' for left in (2, 1, 0, 0)]
    assert "ratelimit" in other.headers


async def test_one_person_is_one_caller_by_whatever_name_and_door(house):
    async with limited(house, rate_limit_per_minute=1, rate_limit_burst=2):
        answers = [
            await house.ask("one"),
            await house.ask("two", door="cli", body={"user_id": "alice.johnson@company.com"}),
            await house.ask("three", door="generic", body={"integration_type": "CLI"}),
        ]

    assert statuses(answers) == [200, 200, 429]


async def test_a_tool_has_its_own_limit_whomever_it_asks_for(house):
    async with limited(house, tool_rate_limit_per_minute=1, tool_rate_limit_burst=2, rate_limit_burst=1):
        answers = [await ask_as_tool(house, user=f"person-{number}") for number in range(3)]
        other = await ask_as_tool(house, "hr-system", key=OTHER_TOOL_KEY)
        person = await house.ask("question", user="person-0")

    assert statuses([*answers, other, person]) == [200, 200, 429, 200, 200]
    assert await house.value("SELECT count(*) FROM users WHERE login = 'person-2'") == 0


async def test_every_answer_says_how_the_caller_stands_also_one_that_is_an_error(house):
    async with limited(house, rate_limit_per_minute=60, rate_limit_burst=10):
        unknown = await house.ask(
            "question", body={"request_manager_session_id": "00000000-0000-7000-8000-000000000000"}
        )
        later = await house.ask("question", headers={"prefer": "respond-async"})
        streamed = await house.ask("question", headers={"accept": "text/event-stream"})

    assert statuses([unknown, later, streamed]) == [404, 202, 200]
    assert [answer.headers["ratelimit"][:8] for answer in (unknown, later, streamed)] == ['"rate";r'] * 3
    assert [answer.headers.get_list("cache-control") for answer in (unknown, later, streamed)] == [["no-store"]] * 3


async def test_a_caller_has_only_so_many_requests_in_flight_whether_it_waits_or_streams(house):
    gate = house.taker.hold("slow")
    async with limited(house, max_in_flight_per_caller=2):
        waiting = asyncio.ensure_future(house.ask("slow"))
        streaming = asyncio.ensure_future(house.ask("slow", headers={"accept": "text/event-stream"}))
        await eventually(lambda: house.value("SELECT count(*) = 2 FROM request_logs"))

        refused = await house.ask("question")
        other = await house.ask("question", user="john.doe")
        gate.set()
        answers = await gather_ordered(waiting, streaming)
        after = await house.ask("question")

    assert statuses([refused, other, *answers, after]) == [429, 200, 200, 200, 200]
    assert refused.json()["violated-policies"] == ["in-flight"]
    assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_who_hangs_up_has_nothing_in_flight_any_more(house, accept):
    gate = house.taker.hold("slow")
    async with limited(house, max_in_flight_per_caller=1):
        with pytest.raises(httpx2.TimeoutException):
            await house.client.post(
                "/api/v1/requests/web",
                json={"user_id": "alice.johnson", "content": "slow"},
                headers=as_person("alice.johnson") | {"accept": accept},
                timeout=0.5,
            )

        async def is_let_in():
            answer = await house.ask("question", headers={"prefer": "respond-async"})
            return answer.status_code == 202

        assert await eventually(is_let_in)
    gate.set()


async def test_a_full_house_refuses_strangers_unread_and_is_healthy(house):
    gate = house.taker.hold("slow")
    async with limited(house, max_in_flight=1):
        waiting = asyncio.ensure_future(house.ask("slow"))
        await house.taker.begun["slow"].wait()

        head = b"POST /api/v1/requests/web HTTP/1.1\r\nhost: house\r\ncontent-length: 1000000\r\n\r\n"
        unread = await first_line(house.url, head)
        stranger = await house.client.get("/api/v1/requests")
        healthy = [await house.client.get(path) for path in ("/livez", "/readyz", "/health", "/metrics")]
        gate.set()
        answer = await waiting
        after = await house.ask("question")

    assert unread == b"HTTP/1.1 503 Service Unavailable\r\n"
    assert (stranger.status_code, stranger.headers["retry-after"]) == (503, "1")
    assert statuses([*healthy, answer, after]) == [200] * 6


async def test_a_days_quota_outlives_a_restart_and_counts_at_every_house(houses):
    first, second = await houses(), await houses()
    async with limited(first, quota_per_day=4):
        before = [await first.ask("question") for _ in range(3)]
    async with limited(first, quota_per_day=4), limited(second, quota_per_day=4):
        after = [await first.ask("question"), await first.ask("question"), await second.ask("question")]
        other = await second.ask("question", user="john.doe")

    assert statuses([*before, *after, other]) == [200, 200, 200, 200, 429, 429, 200]
    assert before[0].headers["ratelimit-policy"] == '"day";q=4;w=86400'
    assert before[0].headers["ratelimit"].startswith('"day";r=3;t=')
    assert 0 < int(after[-1].headers["retry-after"]) <= 86_400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("/api/v1/keys", {"name": "laptop"}, id="keys"),
        pytest.param("/api/v1/sessions", {"integration_type": "WEB", "scope": "explicit"}, id="sessions"),
    ],
)
async def test_one_person_makes_only_so_many_keys_and_sessions(house, path, body):
    async def make(user="alice.johnson", number=0):
        return await house.client.post(path, json=body | {"name": f"number {number}"}, headers=as_person(user))

    usual = await make(number=9)
    house.app.state.admit_creation = creations(AdmissionSettings(creation_rate_limit_per_minute=2)).admit
    answers = [await make(number=number) for number in range(3)]
    other = await make("john.doe")

    assert usual.headers["ratelimit-policy"] == '"rate";q=60;w=60'
    assert statuses([usual, *answers, other]) == [201, 201, 201, 429, 201]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 30


async def test_one_person_has_only_so_many_keys_that_work(house):
    async def call(method, path="", user="alice.johnson"):
        body = {"json": {"name": "laptop"}} if (method, path) == ("POST", "") else {}
        return await house.client.request(method, f"/api/v1/keys{path}", headers=as_person(user), **body)

    made = [(await call("POST")).json()["key_id"] for _ in range(50)]
    too_many, other = await call("POST"), await call("POST", user="john.doe")
    rotated = [await call("POST", f"/{key_id}/rotate") for key_id in made[:2]]
    for key_id in made[2:4]:
        await call("DELETE", f"/{key_id}")
    again = await call("POST")

    assert statuses([too_many, other, *rotated, again]) == [409, 201, 201, 409, 201]
    assert too_many.json()["detail"] == "One person has at most 50 keys that work; revoke one that is not needed"


async def test_the_product_tells_browsers_how_to_treat_its_answers(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    origin = "https://desk.example.com"
    with command.serving("up", home=home, CORS_ORIGINS=origin) as url:
        async with httpx2.AsyncClient(base_url=url, headers={"origin": origin}, timeout=20) as http:
            answers = [
                await http.post("/api/v1/requests/web", json={"user_id": "a", "content": "b"}),
                await http.get("/api/v1/requests"),
                await http.get("/api/v1/nowhere"),
                await http.get("/livez"),
                await http.get("/docs"),
            ]

    assert statuses(answers) == [401, 401, 404, 200, 200]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["access-control-allow-origin"] == origin
        assert "strict-transport-security" not in answer.headers
    assert "swagger-ui" in answers[-1].text


async def first_line(url, head):
    """Send the head of a request and none of its body, and return how the answer begins."""
    address = httpx2.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(head)
    async with asyncio.timeout(5):
        line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line
