"""The client against a server that answers, refuses, and hangs up."""

import json
from contextlib import asynccontextmanager

import pytest

from self_service_agent.doubles.receiver import Fault, Receiver
from self_service_agent.shared_clients.errors import Busy, Invalid, StillWorking, Unauthenticated, Unreachable
from self_service_agent.shared_clients.protocol import Final, Later, StatusChanged, Token
from self_service_agent.shared_clients.request_manager import RequestManagerClient
from self_service_agent.shared_models.requests import RequestStatus

from .answers import ACCEPTED, ANSWER, ANSWERED, LATER, problem, streamed


@asynccontextmanager
async def talking(*script):
    async with Receiver.open() as server, RequestManagerClient(server.url, "alice", "key") as client:
        server.script(*script)
        yield server, client


def keys(server):
    return [each.headers["Idempotency-Key"] for each in server.received]


async def test_a_request_is_sent_with_its_key_and_answered():
    async with talking(ANSWERED) as (server, client):
        answer = await client.send_request("hello", integration_type="CLI", endpoint="cli", metadata={"a": 1})

    (received,) = server.received
    assert answer == ANSWER
    assert (received.method, received.path) == ("POST", "/api/v1/requests/cli")
    assert received.headers["Authorization"] == "Bearer key"
    assert json.loads(received.body) == {
        "user_id": "alice",
        "content": "hello",
        "integration_type": "CLI",
        "metadata": {"a": 1},
    }


async def test_the_headers_of_the_client_can_be_changed():
    async with talking(ANSWERED) as (server, client):
        client.client.headers.update({"Authorization": "Bearer another"})
        await client.send_request("hello")

    assert server.received[0].headers["Authorization"] == "Bearer another"


@pytest.mark.parametrize("trouble", [Fault.CLOSE, 502, 503])
async def test_a_request_that_was_lost_is_sent_again_under_the_same_key(trouble):
    async with talking(trouble, ANSWERED) as (server, client):
        answer = await client.send_request("hello")

    first, second = keys(server)
    assert answer == ANSWER
    assert first == second


async def test_two_requests_have_two_keys_and_a_caller_may_name_one():
    async with talking(ANSWERED, ANSWERED, ANSWERED) as (server, client):
        await client.send_request("hello")
        await client.send_request("hello")
        await client.send_request("hello", idempotency_key="mine")

    first, second, third = keys(server)
    assert first != second
    assert third == "mine"


async def test_a_server_that_stays_away_is_unreachable():
    async with talking(*[Fault.CLOSE] * 3) as (server, client):
        with pytest.raises(Unreachable):
            await client.send_request("hello")

    assert len(server.received) == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthenticated), (422, Invalid)], ids=["a wrong key", "a wrong request"]
)
async def test_a_refusal_is_final_and_says_why(status, kind):
    async with talking(problem(status, "no")) as (server, client):
        with pytest.raises(kind, match="no"):
            await client.send_request("hello")

    assert len(server.received) == 1


async def test_a_server_that_stays_busy_says_so():
    async with talking(503, 503, 503) as (_, client):
        with pytest.raises(Busy):
            await client.send_request("hello")


async def test_a_request_that_takes_longer_says_where_its_answer_will_be():
    async with talking(LATER, LATER, ANSWERED) as (server, client):
        with pytest.raises(StillWorking) as raised:
            await client.send_request("hello")
        with pytest.raises(StillWorking):
            await client.get_result("r1")
        answer = await client.get_result("r1")

    assert raised.value.accepted == ACCEPTED
    assert answer == ANSWER
    assert server.received[-1].path == "/api/v1/requests/r1/result"


async def test_a_request_can_be_handed_in_without_waiting():
    async with talking(LATER) as (server, client):
        accepted = await client.submit("hello")

    assert accepted == ACCEPTED
    assert server.received[0].headers["Prefer"] == "respond-async"


async def test_a_status_is_read():
    async with talking(LATER) as (_, client):
        state = await client.get_status("r1")

    assert (state.request_id, state.status) == ("r1", RequestStatus.PENDING)


async def test_a_stream_yields_what_happens():
    script = streamed(
        ("status", ACCEPTED.model_dump_json()), ("token", '{"text": "Hello "}'), ("final", ANSWER.model_dump_json())
    )
    async with talking(script) as (server, client):
        events = [event async for event in client.stream("hello")]

    assert events == [
        StatusChanged(request_id="r1", status=RequestStatus.PENDING),
        Token(text="Hello "),
        Final(answer=ANSWER),
    ]
    assert server.received[0].headers["Accept"] == "text/event-stream"


@pytest.mark.parametrize("trouble", [Fault.CLOSE, 503, streamed(("token", '{"text": "Hello "}'))])
async def test_a_stream_that_broke_is_taken_up_again_under_the_same_key(trouble):
    async with talking(trouble, streamed(("final", ANSWER.model_dump_json()))) as (server, client):
        events = [event async for event in client.stream("hello")]

    first, second = keys(server)
    assert events[-1] == Final(answer=ANSWER)
    assert first == second


async def test_a_stream_that_is_refused_says_why():
    async with talking(problem(401, "no")) as (_, client):
        with pytest.raises(Unauthenticated, match="no"):
            [event async for event in client.stream("hello")]


async def test_a_stream_may_end_before_the_answer_is_there():
    async with talking(streamed(("accepted", ACCEPTED.model_dump_json()))) as (_, client):
        events = [event async for event in client.stream("hello")]

    assert events == [Later(accepted=ACCEPTED)]
