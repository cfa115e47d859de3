"""The shipped agents in a house, with tools that do as they are told."""

from contextlib import asynccontextmanager

from self_service_agent.agent_service.turns.definitions import DefinitionStore
from self_service_agent.agent_service.turns.progress import Progress
from self_service_agent.agent_service.turns.taker import ConversationTaker
from tests.agent_service.flows.conversation import ScriptedTools, an_engine, shipped


class ToolsOfPeople:
    """Scripted tools as the ledger calls them."""

    def __init__(self, tools):
        self.tools = tools

    async def call(self, tool, arguments, *, subject, timeout):  # noqa: ASYNC109  # the protocol's
        return await self.tools.call(tool, arguments, key=subject)


def opening(tools=None):
    """Return what opens the real agents with these tools."""
    definitions = shipped()

    @asynccontextmanager
    async def opened(platform):
        store = DefinitionStore(platform.pools.durable)
        await store.remember(definitions)
        yield ConversationTaker(
            platform.pools.durable,
            an_engine(definitions),
            ToolsOfPeople(tools or ScriptedTools()),
            definitions=definitions,
            store=store,
            progress=Progress(platform.notifier),
        )

    return opened
