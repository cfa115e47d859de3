"""The bus in memory keeps what every bus promises."""

import pytest

from self_service_agent.eventing.memory import MemoryBus
from tests.contracts.bus import QUICKLY, SUBSCRIPTIONS, BusContract


class TestMemoryBus(BusContract):
    @pytest.fixture
    def bus(self):
        return MemoryBus(SUBSCRIPTIONS, connection=None, retry=QUICKLY)

    async def publish(self, bus, *events):
        await bus.publish(events, None)
