"""An answer goes out exactly one way: at once, later at its address, as a stream, or on channels."""

import asyncio
import json

import httpx2
import pytest

from self_service_agent.shared_models.requests import AgentResponse
from tests.acceptance.house import as_person, eventually

IMPATIENT = {"agent_timeout": 0.1}
MAIL = {"delivery": {"channels": ["EMAIL"]}}
HANDED_OVER = "SELECT count(*) FROM event_inbox WHERE consumer = 'integration-dispatcher'"


async def is_completed(house):
    return await house.value("SELECT bool_and(status = 'completed') FROM request_logs")


async def test_an_impatient_caller_gets_the_address_of_its_answer(houses):
    house = await houses(request_manager=IMPATIENT)
    gate = house.taker.hold("slow")

    accepted = await house.ask("slow")
    status = await house.get(accepted.json()["status_url"])
    early = await house.get(accepted.json()["result_url"])
    gate.set()
    await eventually(lambda: is_completed(house))
    result = await house.get(accepted.json()["result_url"])

    body = accepted.json()
    assert (accepted.status_code, accepted.headers["location"]) == (202, body["status_url"])
    assert body == {
        "request_id": body["request_id"],
        "session_id": body["session_id"],
        "status": "pending",
        "status_url": f"/api/v1/requests/{body['request_id']}/status",
        "result_url": f"/api/v1/requests/{body['request_id']}/result",
    }
    assert (status.status_code, status.json()["status"]) == (200, "processing")
    assert (early.status_code, early.json()["status"]) == (202, "processing")
    assert (result.status_code, result.json()["response"]["content"]) == (200, "echo: slow")
    assert house.taker.taken == ["slow"]


@pytest.mark.parametrize("wish", [{"headers": {"prefer": "respond-async"}}, {"query": "?async=true"}])
async def test_an_asynchronous_request_is_accepted_then_answered_at_its_address(house, wish):
    accepted = await house.ask("hello", **wish)
    await eventually(lambda: is_completed(house))
    status = await house.get(accepted.json()["status_url"])
    result = await house.get(accepted.json()["result_url"])
    request = await house.get(f"/api/v1/requests/{accepted.json()['request_id']}")

    assert accepted.status_code == 202
    assert status.json()["status"] == "completed"
    assert result.json()["response"]["content"] == "echo: hello"
    assert (request.json()["content"], request.json()["response_content"]) == ("hello", "echo: hello")


@pytest.mark.parametrize("milliseconds", [0, 10, 20, 30])
async def test_an_answer_near_the_deadline_goes_out_exactly_one_way(houses, milliseconds):
    house = await houses(request_manager={"agent_timeout": 0.02})
    gates = [house.taker.hold(f"close {number}") for number in range(20)]
    asked = [
        asyncio.ensure_future(house.ask(f"close {number}", user=f"person-{number}", body=MAIL)) for number in range(20)
    ]
    await asyncio.sleep(milliseconds / 1000)
    for gate in gates:
        gate.set()
        await asyncio.sleep(0)
    answers = await asyncio.gather(*asked)
    await eventually(lambda: is_completed(house))

    late = [answer.json()["request_id"] for answer in answers if answer.status_code == 202]
    handed_over = await house.rows(
        "SELECT data -> 'response' ->> 'request_id' AS id FROM event_inbox WHERE consumer = 'integration-dispatcher'"
    )
    assert sorted(row["id"] for row in handed_over) == sorted(late)


async def test_a_caller_that_hangs_up_is_answered_on_the_channels_it_named(house):
    gate = house.taker.hold("hello")
    asking = asyncio.ensure_future(house.ask("hello", body=MAIL))
    await house.taker.begun["hello"].wait()
    asking.cancel()
    await eventually(lambda: house.value("SELECT bool_and(reply_to IS NULL) FROM request_logs"))
    gate.set()
    await eventually(lambda: is_completed(house))

    assert await house.value(HANDED_OVER) == 1


async def test_a_caller_that_hangs_up_at_once_waits_for_nothing(house):
    gate = house.taker.hold("hello")
    head, body = (
        "POST /api/v1/requests/web HTTP/1.1\r\nhost: house\r\n",
        b'{"user_id": "alice.johnson", "content": "hello"}',
    )
    address = httpx2.URL(house.url)
    _, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(f"{head}content-length: {len(body)}\r\nauthorization: Bearer alice.johnson\r\n\r\n".encode() + body)
    await writer.drain()
    writer.close()

    await eventually(lambda: house.value("SELECT bool_and(reply_to IS NULL) FROM request_logs"))
    gate.set()
    await eventually(lambda: is_completed(house))


async def test_a_caller_who_is_there_keeps_the_answer_off_the_channels(house):
    answer = await house.ask("hello", body=MAIL)

    assert answer.json()["response"]["content"] == "echo: hello"
    assert await house.value(HANDED_OVER) == 0


@pytest.mark.parametrize(
    ("body", "wish", "status", "handed_over"),
    [
        pytest.param(MAIL, {"query": "?async=true"}, 202, ["EMAIL"], id="asynchronous and named"),
        pytest.param({}, {"query": "?async=true"}, 202, None, id="asynchronous from the web"),
        pytest.param({"delivery": {"mode": "both", "channels": ["EMAIL"]}}, {}, 200, ["EMAIL"], id="both"),
        pytest.param({"delivery": {"mode": "channels"}}, {}, 200, [], id="all channels of the person"),
        pytest.param({"delivery": {"mode": "reply"}}, {"query": "?async=1"}, 202, None, id="only at its address"),
        pytest.param(
            {"integration_type": "email"}, {"door": "generic", "query": "?async=1"}, 202, ["EMAIL"], id="type"
        ),
    ],
)
async def test_an_answer_goes_where_its_caller_chose(house, *, body, wish, status, handed_over):
    answer = await house.ask("hello", body=body, **wish)
    await eventually(lambda: is_completed(house))
    data = await house.value("SELECT data FROM event_inbox WHERE consumer = 'integration-dispatcher'")

    assert answer.status_code == status
    assert (None if data is None else json.loads(data)["channels"]) == handed_over


async def test_a_stream_tells_its_status_the_words_and_the_answer(house):
    events = [line async for line in stream(house, "one two")]

    kinds = [kind for kind, _ in events]
    assert kinds == ["status", "status", "token", "token", "token", "final"]
    assert [data.get("status") for _, data in events[:2]] == ["pending", "processing"]
    assert "".join(data["text"] for kind, data in events if kind == "token") == "echo: one two"
    assert events[-1][1]["response"]["content"] == "echo: one two"
    assert len({data["request_id"] for kind, data in events if kind != "token"}) == 1


async def test_a_stream_past_its_wait_ends_with_the_address_of_the_answer(houses):
    house = await houses(request_manager=IMPATIENT)
    gate = house.taker.hold("slow")

    events = [line async for line in stream(house, "slow")]
    gate.set()

    kind, data = events[-1]
    assert kind == "accepted"
    assert data["result_url"].endswith(f"{data['request_id']}/result")


async def test_a_stream_that_is_cut_leaves_nobody_waiting(house):
    gate = house.taker.hold("hello")
    async for kind, _ in stream(house, "hello"):
        assert kind == "status"
        break

    await eventually(lambda: house.value("SELECT bool_and(reply_to IS NULL) FROM request_logs"))
    gate.set()


async def test_a_refused_stream_is_an_error_and_not_an_event(house):
    refused = await house.ask(
        "hello", body={"request_manager_session_id": "unknown"}, headers={"accept": "text/event-stream"}
    )

    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")


async def test_a_failed_turn_is_a_failed_request(houses):
    house = await houses()
    waiters = house.app.state.request_manager.requests.waiters
    gate = house.taker.hold("hello")
    asking = asyncio.ensure_future(house.ask("hello"))
    await house.taker.begun["hello"].wait()
    row = (await house.rows("SELECT request_id, session_id, user_id FROM request_logs"))[0]
    apology = AgentResponse(
        **row, agent_id=None, content="sorry", response_type="error", created_at="2026-11-20T12:00Z"
    )
    waiters.answer(apology, waited_for_by=waiters.replica)
    answer = await asking
    gate.set()

    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
    assert answer.json()["response"]["content"] == "sorry"


async def stream(house, content):
    """Yield (kind, data) of each event of a streamed request; the keep-alive comments are left out."""
    headers = as_person("alice.johnson") | {"accept": "text/event-stream"}
    body = {"user_id": "alice.johnson", "content": content}
    async with house.client.stream("POST", "/api/v1/requests/web", json=body, headers=headers) as response:
        assert response.status_code == 200
        kind = ""
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                yield kind, json.loads(value)
