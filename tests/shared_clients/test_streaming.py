"""Streams: what they yield, and how they go on after a lost connection."""

import pytest

from self_service_agent.doubles.receiver import Answer, Fault
from self_service_agent.shared_clients import Gone, Unauthenticated, Unavailable, Unintelligible, Unreachable
from self_service_agent.shared_clients.protocol import Final, Later, StatusChanged, Token
from self_service_agent.shared_models.requests import RequestStatus

from .answers import ACCEPTED, ANSWER, problem, streamed
from .talking import keys, talking

STATUS, TOKEN, FINAL = ("status", ACCEPTED.model_dump_json()), ("token", '{"text": "Hello "}'), "final"
THE_END = streamed((FINAL, ANSWER.model_dump_json(), "final"))


async def told(stream):
    return [event async for event in stream]


async def test_a_stream_yields_what_happens():
    async with talking(streamed(STATUS, TOKEN, (FINAL, ANSWER.model_dump_json()))) as (server, client):
        events = await told(client.stream("hello"))

    assert events == [
        StatusChanged(request_id="r1", status=RequestStatus.PENDING),
        Token(text="Hello "),
        Final(answer=ANSWER),
    ]
    assert server.received[0].headers["Accept"] == "text/event-stream"


@pytest.mark.parametrize("trouble", [Fault.CLOSE, 503])
async def test_a_request_that_was_not_heard_of_is_made_again_under_the_same_key(trouble):
    async with talking(trouble, THE_END) as (server, client):
        events = await told(client.stream("hello"))

    first, second = keys(server)
    assert events == [Final(answer=ANSWER)]
    assert first == second


@pytest.mark.parametrize("trouble", [Fault.CLOSE, 503])
async def test_a_story_goes_on_where_the_line_broke(trouble):
    broken = streamed((*STATUS, "1"), (*TOKEN, "8"))
    async with talking(broken, trouble, THE_END) as (server, client):
        events = await told(client.stream("hello"))

    made, *resumed = server.received
    assert events[1:] == [Token(text="Hello "), Final(answer=ANSWER)]
    assert (made.method, made.path) == ("POST", "/api/v1/requests/web")
    assert {(each.method, each.path, each.headers["Last-Event-ID"]) for each in resumed} == {
        ("GET", "/api/v1/requests/r1/events", "8")
    }


async def test_a_story_that_makes_progress_may_break_more_often_than_a_call_is_repeated():
    pieces = [streamed((*TOKEN, str(number))) for number in range(10)]
    async with talking(streamed((*STATUS, "1")), *pieces, THE_END) as (server, client):
        events = await told(client.stream("hello"))

    assert events[-1] == Final(answer=ANSWER)
    assert len(server.received) == 12


async def test_a_story_that_is_told_again_from_its_beginning_is_not_heard_twice():
    beginning = [(*STATUS, "1"), (*TOKEN, "8")]
    whole = streamed(*beginning, ("token", '{"text": "there."}', "14"), (FINAL, ANSWER.model_dump_json(), "final"))
    async with talking(streamed(*beginning), streamed(*beginning), whole) as (_, client):
        events = await told(client.stream("hello"))

    assert events[1:] == [Token(text="Hello "), Token(text="there."), Final(answer=ANSWER)]


async def test_a_story_that_is_begun_again_and_again_ends():
    async with talking(*[streamed((*STATUS, "1"), (*TOKEN, "8"))] * 3) as (server, client):
        with pytest.raises(Unreachable):
            await told(client.stream("hello"))

    assert len(server.received) == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(401, "no"), Unauthenticated),
        (problem(410, "no"), Gone),
        (Answer(body=b"<html>no</html>", headers={"Content-Type": "text/html"}), Unintelligible),
        (streamed((FINAL, "{}")), Unintelligible),
    ],
    ids=["a wrong key", "an expired request", "a login page", "an answer without its fields"],
)
async def test_a_stream_that_will_not_come_says_why(answer, kind):
    async with talking(answer) as (server, client):
        with pytest.raises(kind):
            await told(client.stream("hello"))

    assert len(server.received) == 1


async def test_a_server_that_stays_busy_says_so():
    async with talking(503, 503, 503) as (_, client):
        with pytest.raises(Unavailable):
            await told(client.follow("r1"))


async def test_a_stream_may_end_before_the_answer_is_there():
    async with talking(streamed(("accepted", ACCEPTED.model_dump_json()))) as (_, client):
        events = await told(client.stream("hello"))

    assert events == [Later(accepted=ACCEPTED)]


async def test_what_a_client_does_not_know_is_passed_over():
    async with talking(streamed(("surprise", "{}"), (FINAL, ANSWER.model_dump_json()))) as (_, client):
        assert await told(client.stream("hello")) == [Final(answer=ANSWER)]


async def test_a_request_that_was_made_before_is_followed():
    async with talking(THE_END) as (server, client):
        events = await told(client.follow("r1"))

    (received,) = server.received
    assert events == [Final(answer=ANSWER)]
    assert (received.method, received.path) == ("GET", "/api/v1/requests/r1/events")
    assert "Last-Event-ID" not in received.headers
