"""The client against a server that answers, refuses, and hangs up."""

import json
from email.utils import formatdate

import httpx2
import pytest

from self_service_agent.doubles.receiver import Answer, Fault
from self_service_agent.shared_clients import (
    Conflict,
    Invalid,
    RateLimited,
    Retries,
    StillWorking,
    Unauthenticated,
    Unavailable,
    Unintelligible,
    Unreachable,
)
from self_service_agent.shared_models.requests import RequestStatus

from .answers import ACCEPTED, ANSWER, ANSWERED, LATER, problem
from .talking import keys, talking


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
        with pytest.raises(Unavailable):
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


@pytest.mark.parametrize("call", ["get_status", "get_result"])
async def test_a_wait_is_the_servers(call):
    async with talking(ANSWERED, ANSWERED) as (server, client):
        await getattr(client, call)("r1")
        await getattr(client, call)("r1", wait=30)

    assert [each.path.rpartition("/")[2].partition("?")[2] for each in server.received] == ["", "wait=30"]


async def test_a_result_is_waited_for_over_as_many_looks_as_it_takes():
    async with talking(LATER, Fault.CLOSE, 503, ANSWERED) as (server, client):
        answer = await client.wait_for_result("r1", within_seconds=20)

    assert answer == ANSWER
    assert len(server.received) == 4


async def test_waiting_for_a_result_has_an_end():
    async with talking(LATER) as (_, client):
        with pytest.raises(StillWorking):
            await client.wait_for_result("r1", within_seconds=0)


async def test_a_request_is_cancelled_once_whatever_happens_to_the_line():
    async with talking(Fault.CLOSE, problem(409, "too late"), ANSWERED) as (server, client):
        with pytest.raises(Unreachable):
            await client.cancel("r1")
        with pytest.raises(Conflict, match="too late"):
            await client.cancel("r1")
        answer = await client.cancel("r1")

    assert answer == ANSWER
    assert [(each.method, each.path) for each in server.received] == [("POST", "/api/v1/requests/r1/cancel")] * 3


@pytest.mark.parametrize("wish", ["1", "date"])
async def test_a_wish_of_the_server_is_kept_to(wish):
    after = formatdate(usegmt=True) if wish == "date" else wish
    async with talking(Answer(status=429, headers={"Retry-After": after}), ANSWERED) as (server, client):
        await client.send_request("hello")

    first, second = server.received
    assert (second.arrived_at - first.arrived_at).total_seconds() >= (1 if wish == "1" else 0)


async def test_a_wish_that_is_too_long_is_the_callers_to_keep():
    async with talking(Answer(status=429, headers={"Retry-After": "3600"})) as (server, client):
        with pytest.raises(RateLimited) as raised:
            await client.send_request("hello")

    assert raised.value.retry_after == 3600
    assert len(server.received) == 1


async def test_a_call_takes_no_longer_than_it_may():
    async with talking(Fault.HANG, retries=Retries(total_seconds=0.2)) as (_, client):
        with pytest.raises(Unreachable, match=r"within 0\.2 seconds"):
            await client.send_request("hello")


async def test_a_server_that_does_not_answer_in_time_is_asked_again_under_the_same_key():
    async with talking(Fault.HANG, ANSWERED) as (server, client):
        client.client.timeout = httpx2.Timeout(0.2)
        answer = await client.send_request("hello")

    first, second = keys(server)
    assert answer == ANSWER
    assert first == second


@pytest.mark.parametrize(
    "page",
    [
        Answer(body=b"<html>please log in</html>"),
        Answer(headers={"Content-Encoding": "gzip"}, body=b"not zipped"),
    ],
    ids=["a login page", "a broken proxy"],
)
async def test_something_in_between_is_no_answer(page):
    async with talking(page) as (server, client):
        with pytest.raises(Unintelligible):
            await client.send_request("hello")

    assert len(server.received) == 1
