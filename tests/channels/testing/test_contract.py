import pytest

from self_service_agent.channels.testing.channel import RecordingChannel
from self_service_agent.channels.testing.config import Outcome, RecordingAddress
from self_service_agent.channels.testing.payload import BUSY_SECONDS
from tests.contracts.channel import ChannelContract, ChannelPeer


class Script(ChannelPeer):
    retry_after = BUSY_SECONDS

    def __init__(self):
        self.channel = RecordingChannel()
        self._outcomes: list[Outcome] = []

    @property
    def address(self) -> RecordingAddress:
        outcome = self._outcomes.pop() if self._outcomes else Outcome.DELIVERED
        return RecordingAddress(user_id="u-1", outcome=outcome)

    def refuse(self):
        self._outcomes.append(Outcome.REFUSED)

    def be_busy(self):
        self._outcomes.append(Outcome.BUSY)

    def break_line(self):
        self._outcomes.append(Outcome.UNKNOWN)

    def hang(self):
        pass

    async def reached(self):
        pass

    def delivery_ids(self):
        return [reply.delivery_id for reply in self.channel.replies]


class TestTestingChannel(ChannelContract):
    @pytest.fixture
    def peer(self):
        return Script()
