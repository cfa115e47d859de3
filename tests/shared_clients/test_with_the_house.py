"""The client against the real services."""

import asyncio

import pytest

from self_service_agent.shared_clients import Conflict, NotFound, RequestManagerClient, StillWorking, ToolKey
from self_service_agent.shared_clients.protocol import Final, StatusChanged, Token
from self_service_agent.shared_models.requests import RequestStatus
from self_service_agent.shared_models.sessions import SessionStatus
from tests.acceptance.house import TOOL_KEY, open_house

from .cutting import cutting

ALICE = "alice.johnson"


@pytest.fixture
async def house(database, tmp_path):
    async with open_house(database, tmp_path) as house:
        yield house


@pytest.fixture
async def client(house):
    async with RequestManagerClient(house.url, ALICE, ALICE) as client:
        yield client


async def followed(stream):
    return [event async for event in stream]


def text_of(events):
    return "".join(event.text for event in events if isinstance(event, Token))


async def test_a_status_ends_its_wait_with_news(house, client):
    gate = house.taker.hold("hello")
    accepted = await client.submit("hello")
    await house.taker.begun["hello"].wait()
    gate.set()
    state = await client.get_status(accepted.request_id, wait=30)

    assert (state.status, state.agent_id, state.cancelled) == (RequestStatus.COMPLETED, "scripted", False)
    assert state.timeline.accepted <= state.timeline.started <= state.timeline.answered


async def test_a_result_is_waited_for(house, client):
    gate = house.taker.hold("hello")
    accepted = await client.submit("hello")
    with pytest.raises(StillWorking):
        await client.get_result(accepted.request_id, wait=0.1)

    waiting = asyncio.ensure_future(client.wait_for_result(accepted.request_id))
    gate.set()

    assert (await waiting).response.content == "echo: hello"


async def test_a_request_is_followed_and_then_told_again(house, client):
    gate = house.taker.hold("one two")
    accepted = await client.submit("one two")
    following = asyncio.ensure_future(followed(client.follow(accepted.request_id)))
    gate.set()
    events = await following

    assert isinstance(events[0], StatusChanged)
    assert isinstance(events[-1], Final)
    assert text_of(events) == text_of(await followed(client.follow(accepted.request_id))) == "echo: one two"


@pytest.mark.parametrize("how", ["asked", "followed"])
async def test_a_story_is_told_without_gap_or_repetition_over_a_line_that_breaks(house, how):
    async with cutting(house.url, at=b"event: token") as url, RequestManagerClient(url, ALICE, ALICE) as client:
        if how == "asked":
            stream = client.stream("one two three")
        else:
            stream = client.follow((await client.submit("one two three")).request_id)
        events = await followed(stream)

    assert text_of(events) == "echo: one two three"
    assert isinstance(events[-1], Final)
    assert house.taker.taken == ["one two three"]


async def test_a_request_in_the_queue_can_be_cancelled_and_one_that_is_begun_cannot(house, client):
    gate = house.taker.hold("first")
    first, second = await client.submit("first"), await client.submit("second")
    await house.taker.begun["first"].wait()

    with pytest.raises(Conflict):
        await client.cancel(first.request_id)
    withdrawn = await client.cancel(second.request_id)
    again = await client.cancel(second.request_id)
    gate.set()

    assert withdrawn == again == await client.get_result(second.request_id)
    assert withdrawn.status is RequestStatus.FAILED
    assert "second" not in house.taker.begun
    assert (await client.get_status(second.request_id)).cancelled


async def test_requests_are_listed_page_by_page(client):
    answers = [await client.send_request(f"number {number}") for number in range(3)]

    first = await client.list_requests(limit=2, status=["completed"])
    last = await client.list_requests(limit=2, status=["completed"], cursor=first.next_cursor)

    listed = [request.request_id for page in (first, last) for request in page.requests]
    assert listed == [answer.request_id for answer in reversed(answers)]
    assert (last.next_cursor, first.requests[0].response_content) == (None, "echo: number 2")


async def test_a_tool_asks_for_a_person(house):
    async with RequestManagerClient(house.url, ALICE, ToolKey(TOOL_KEY)) as client:
        answer = await client.send_request("hello", "TOOL", "tool", tool_id="snow-integration")

    assert answer.response.content == "echo: hello"


async def test_a_foreign_request_looks_like_none(house, client):
    answer = await client.send_request("hello")

    async with RequestManagerClient(house.url, "john.doe", "john.doe") as other:
        with pytest.raises(NotFound):
            await other.get_status(answer.request_id)
        with pytest.raises(NotFound):
            await followed(other.follow(answer.request_id))


async def test_a_session_is_listed_closed_and_resumed(client):
    answer = await client.send_request("hello")

    (session,) = (await client.sessions.list(status="ACTIVE")).sessions
    closed = await client.sessions.close(session.session_id)
    resumed = await client.sessions.resume(session.session_id, "CLI")

    assert (session.session_id, session.total_requests) == (answer.session_id, 1)
    assert (closed.status, resumed.status) == (SessionStatus.INACTIVE, SessionStatus.ACTIVE)
    assert (await client.send_request("hello again")).session_id == session.session_id
