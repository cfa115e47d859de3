import asyncio
from datetime import timedelta

import pytest

from self_service_agent.doubles.receiver import Answer, Fault, Receiver
from self_service_agent.kit.http.client import Client, ResponseLost
from self_service_agent.kit.http.egress import EgressPolicy


@pytest.fixture
async def http():
    async with Client.open(policy=EgressPolicy(allow_loopback=True), user_agent="test") as http:
        yield http


async def test_it_remembers_what_it_was_sent(http: Client):
    async with Receiver.open() as receiver:
        await http.post(f"{receiver.url}/hook?a=1", headers={"X-Sign": "yes"}, content=b"{}")

        [received] = await receiver.wait_for(1)
        assert (received.method, received.path, received.body) == ("POST", "/hook?a=1", b"{}")
        assert received.headers["x-sign"] == "yes"


async def test_it_follows_its_script_and_then_says_yes(http: Client):
    async with Receiver.open() as receiver:
        receiver.script(503, Answer(status=429, headers={"Retry-After": "3"}))

        statuses = [(await http.post(receiver.url)).status for _ in range(3)]

        assert statuses == [503, 429, 200]


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_fault_strikes_one_request(http: Client, fault):
    async with Receiver.open() as receiver:
        receiver.script(fault)
        with pytest.raises(ResponseLost):
            await http.post(receiver.url, timeout=timedelta(milliseconds=50))

        assert (await http.post(receiver.url)).status == 200


async def test_it_keeps_the_newest_and_counts_all(http: Client):
    async with Receiver.open(keep=2) as receiver:
        for number in range(3):
            await http.post(f"{receiver.url}/{number}")

        assert [each.path for each in await receiver.wait_for(3)] == ["/1", "/2"]


async def test_waiting_ends_with_the_arrival(http: Client):
    async with Receiver.open() as receiver, asyncio.TaskGroup() as group:
        waiter = group.create_task(receiver.wait_for(1))
        group.create_task(http.post(receiver.url))

    assert len(waiter.result()) == 1


async def test_waiting_in_vain_times_out():
    async with Receiver.open() as receiver:
        with pytest.raises(TimeoutError):
            await receiver.wait_for(1, timedelta(milliseconds=5))
