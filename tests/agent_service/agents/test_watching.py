"""Reading definitions again: whatever goes wrong, the agents that answer stay, and the next time is as good."""

import asyncio

import pytest

from self_service_agent.agent_service.agents.roster import Roster
from self_service_agent.agent_service.agents.watching import TOPIC, Reloading
from self_service_agent.agent_service.definitions.loader import load_definitions
from self_service_agent.kit.notifications import Notifier
from tests.agent_service.flows.conversation import AGENTS


class Reader:
    """Gives definitions, or raises what it is told to."""

    def __init__(self, error):
        self.error, self.fresh = error, load_definitions(AGENTS, default_agent_id="echo-agent")

    def __call__(self):
        if self.error is not None:
            raise self.error
        return self.fresh


async def until(is_so):
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("error", [RecursionError("too deep"), MemoryError("too much"), KeyError("odd")], ids=repr)
async def test_nothing_that_reading_raises_ends_the_process(error):
    notifier, reader = Notifier(), Reader(error)
    roster = Roster(load_definitions(AGENTS), read=reader, prepare=(), adopt=lambda _: None)
    answering = roster.definitions
    async with Reloading(roster, notifier).running():
        notifier.notify(TOPIC, "another process")
        await until(lambda: roster.refusal)
        problems, stayed = roster.refusal.problems, roster.definitions is answering
        reader.error = None
        notifier.notify(TOPIC, "another process")
        await until(lambda: roster.refusal is None)

    assert (problems, stayed) == ((f"not taken: {type(error).__name__}: {error}",), True)
