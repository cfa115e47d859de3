"""The Python client against the real system, as the integration guide prints it."""

import pytest

from self_service_agent.shared_clients.errors import Forbidden, Invalid, NotFound
from self_service_agent.shared_clients.protocol import Final, StatusChanged, Token
from self_service_agent.shared_models.requests import RequestStatus
from shared_clients import RequestManagerClient


@pytest.fixture
async def client(system):
    async with RequestManagerClient(system, "web-test-user", auth="web-test-user") as client:
        yield client


async def test_the_example_of_the_guide_works(system):
    client = RequestManagerClient(request_manager_url=system, user_id="john.doe")
    try:
        client.client.headers.update({"Authorization": "Bearer john.doe"})
        response = await client.send_request(
            content="Hello, I need help with my laptop",
            integration_type="WEB",
            endpoint="web",
            metadata={"client_ip": "192.168.1.100"},
        )
    finally:
        await client.close()

    assert response.status is RequestStatus.COMPLETED
    assert response["response"]["content"] == response.response.content


async def test_a_key_that_is_used_again_brings_the_same_answer(client):
    first = await client.send_request("hello", idempotency_key="once")
    second = await client.send_request("hello", idempotency_key="once")

    assert second == first


async def test_a_key_for_something_else_is_refused(client):
    await client.send_request("hello", idempotency_key="taken")

    with pytest.raises(Invalid):
        await client.send_request("something else", idempotency_key="taken")


async def test_what_was_handed_in_can_be_fetched_once_it_is_there(client):
    answer = await client.send_request("hello")

    state = await client.get_status(answer.request_id)
    assert (state.request_id, state.status) == (answer.request_id, RequestStatus.COMPLETED)
    assert await client.get_result(answer.request_id) == answer


async def test_a_request_of_somebody_else_looks_like_none(client):
    with pytest.raises(NotFound):
        await client.get_result("01a1fac5-0000-7000-8000-000000000000")


async def test_nobody_speaks_for_somebody_else(system):
    async with RequestManagerClient(system, "alice.johnson", auth="web-demo") as client:
        with pytest.raises(Forbidden):
            await client.send_request("hello")


async def test_a_stream_carries_the_words_of_its_answer(client):
    events = [event async for event in client.stream("hello", "CLI", "cli")]

    final = events[-1]
    assert isinstance(events[0], StatusChanged)
    assert isinstance(final, Final)
    assert "".join(event.text for event in events if isinstance(event, Token)) == final.answer.response.content
