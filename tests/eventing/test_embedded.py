"""The embedded bus keeps what every bus promises, also among several processes."""

import asyncio

import pytest

from self_service_agent.eventing.bus import Binding
from self_service_agent.eventing.embedded import EmbeddedBus
from self_service_agent.kit.database import open_pools
from self_service_agent.kit.notifications import Notifier
from tests.contracts.bus import QUICKLY, SUBSCRIPTIONS, TYPE, BusContract, Happened, Listener, an_event


@pytest.fixture
async def pools(database):
    async with open_pools(database, size=6) as pools:
        yield pools


async def publish(bus, pools, *events):
    async with pools.durable.acquire() as connection, connection.transaction():
        await bus.publish(events, connection)
    bus.published(TYPE)


class TestEmbeddedBus(BusContract):
    @pytest.fixture
    def bus(self, pools):
        self.pools = pools
        return EmbeddedBus(pools, Notifier(), SUBSCRIPTIONS, retry=QUICKLY)

    async def publish(self, bus, *events):
        await publish(bus, self.pools, *events)


async def test_an_event_of_a_transaction_that_fails_was_never_published(pools):
    bus = EmbeddedBus(pools, Notifier(), SUBSCRIPTIONS)

    async with pools.durable.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await bus.publish([an_event()], connection)
        await transaction.rollback()

    assert await pools.durable.fetchval("SELECT count(*) FROM event_inbox") == 0


async def test_several_processes_share_the_work_and_keep_the_order(database, pools):
    listener = Listener()
    buses = [EmbeddedBus(pools, notifier, SUBSCRIPTIONS, retry=QUICKLY) for notifier in (Notifier(), Notifier())]
    for bus in buses:
        bus.consume("first", {TYPE: Binding(data=Happened, handle=listener)})

    async with buses[0].running(), buses[1].running():
        for number in range(1, 31):
            events = [an_event(number, key=f"session-{session}") for session in range(20)]
            await asyncio.gather(*(publish(bus, pools, *events) for bus in buses))
        await listener.has_committed(600)

    assert listener.heard == {f"session-{session}": list(range(1, 31)) for session in range(20)}


async def test_a_handled_event_leaves_its_id_and_nothing_else(pools):
    bus = EmbeddedBus(pools, Notifier(), {TYPE: ("first",)})
    listener = Listener()
    bus.consume("first", {TYPE: Binding(data=Happened, handle=listener)})

    async with bus.running():
        await publish(bus, pools, an_event(1, event_id="once"))
        await listener.has_committed(1)

    assert await pools.durable.fetchval("SELECT count(*) FROM event_inbox") == 0
    assert await pools.durable.fetchval("SELECT event_id || ' ' || consumer FROM processed_events") == "once first"
