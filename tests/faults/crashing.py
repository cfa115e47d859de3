"""Runs the services in a process that kills itself at one chosen step, the first time it comes there.

The step is named by CRASH_AT; it counts from the moment the person says what CRASH_ON holds, which is "yes" by default.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr

from self_service_agent.agent_service.app import agent_service, shipped_agents
from self_service_agent.agent_service.definitions.loader import load_definitions
from self_service_agent.agent_service.flows.engine import Engine
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.agent_service.tools.opening import ToolAccess, adopt, open_toolbox, plan_of
from self_service_agent.agent_service.tools.toolbox import Toolbox
from self_service_agent.agent_service.turns.definitions import DefinitionStore
from self_service_agent.agent_service.turns.progress import Progress
from self_service_agent.agent_service.turns.repository import ClaimedTurn, FinishedTurn
from self_service_agent.agent_service.turns.taker import ConversationTaker
from self_service_agent.agent_service.understanding.rules import RulesUnderstander
from self_service_agent.channels import email
from self_service_agent.channels.base import Channel, Manifest, Receipt, Reply
from self_service_agent.cli.server import listen, serve
from self_service_agent.eventing.embedded import EmbeddedBus
from self_service_agent.eventing.platform import Platform, bus_service, platform_of, platform_service
from self_service_agent.integration_dispatcher.app import integration_dispatcher
from self_service_agent.kit.database import DatabaseSettings
from self_service_agent.kit.health import health_service
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service import Service, create_app
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.kit.settings import read
from self_service_agent.request_manager.admission.settings import AdmissionSettings
from self_service_agent.request_manager.app import authentication, request_manager
from self_service_agent.request_manager.settings import RequestManagerSettings
from self_service_agent.shared_models import events
from self_service_agent.shared_models.events import SUBSCRIPTIONS

LOOPBACK = EgressPolicy(allow_loopback=True)
WRITES = "open_laptop_refresh_ticket"


class Step(StrEnum):
    """Where the process can die."""

    INTENDED = "the tool call is noted if it writes, and not made yet"
    CALLED = "the tool has answered, and its outcome is not noted yet"
    SETTLED = "the outcome is noted, and the turn is not finished yet"
    ANSWERED = "the turn is finished, and its answer is not recorded yet"
    RECORDED = "the answer is recorded, and its delivery is not planned yet"
    CLAIMED = "the delivery is claimed, and not sent yet"
    SENT = "the delivery is sent, and that is not recorded yet"


class Fuse:
    """Burns once: what it leaves in the home folder keeps the next process alive."""

    def __init__(self, home: Path, step: Step) -> None:
        self._mark = home / "burnt"
        self._step = step
        self.is_lit = False

    def reach(self, step: Step) -> None:
        """Die here if this is the step, and it is the first time."""
        if self.is_lit and step is self._step and not self._mark.exists():
            self._mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class FusedTools:
    """The tools behind the fuse; every call that writes leaves a line in the home folder."""

    def __init__(self, tools: Toolbox, fuse: Fuse, home: Path) -> None:
        self._tools = tools
        self._fuse = fuse
        self._home = home

    async def check(self, tool: str, arguments: dict[str, Any], *, within: timedelta) -> None:
        await self._tools.check(tool, arguments, within=within)

    async def call(
        self, tool: str, arguments: dict[str, Any], *, subject: str, timeout: timedelta  # noqa: ASYNC109  # travels on
    ) -> dict[str, Any]:  # fmt: skip
        self._fuse.reach(Step.INTENDED)
        if tool == WRITES:
            await asyncio.to_thread(self._note, arguments["idempotency_key"])
        answer = await self._tools.call(tool, arguments, subject=subject, timeout=timeout)
        self._fuse.reach(Step.CALLED)
        return answer

    def _note(self, key: str) -> None:
        with (self._home / "writes").open("a") as notes:
            notes.write(f"{key}\n")


class FusedTaker:
    """Takes turns, and lights the fuse when the person says yes."""

    def __init__(self, taker: ConversationTaker, fuse: Fuse) -> None:
        self._taker = taker
        self._fuse = fuse

    async def take(self, turn: ClaimedTurn) -> FinishedTurn:
        self._fuse.is_lit = turn.request.content == os.environ.get("CRASH_ON", "yes")  # a process of its own
        finished = await self._taker.take(turn)
        self._fuse.reach(Step.SETTLED)
        return finished

    def apologise(self, turn: ClaimedTurn) -> FinishedTurn:
        return self._taker.apologise(turn)


class FusedBus(EmbeddedBus):
    """The bus, whose announcements follow what was committed."""

    def __init__(self, platform: Platform, fuse: Fuse) -> None:
        super().__init__(platform.pools, platform.notifier, SUBSCRIPTIONS)
        self._fuse = fuse

    def published(self, *types: str) -> None:
        if events.RESPONSE_READY in types:
            self._fuse.reach(Step.ANSWERED)
        if events.REQUEST_COMPLETED in types:
            self._fuse.reach(Step.RECORDED)
        super().published(*types)


class FusedChannel:
    """A channel whose sending is a step of its own."""

    def __init__(self, channel: Channel[Any], fuse: Fuse) -> None:
        self.integration_type = channel.integration_type
        self._channel = channel
        self._fuse = fuse

    async def deliver(self, reply: Reply, address: Any) -> Receipt:
        self._fuse.reach(Step.CLAIMED)
        receipt = await self._channel.deliver(reply, address)
        self._fuse.reach(Step.SENT)
        return receipt


def fused_bus(fuse: Fuse) -> Service:
    """Return the service that puts the fuse into the platform's bus."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        platform = platform_of(app)
        app.state.platform = replace(platform, bus=FusedBus(platform, fuse))
        yield

    return Service(name="fuse", open=run)


def fused_email(fuse: Fuse) -> Callable[[FastAPI], Manifest[Any]]:
    """Return what makes the e-mail channel one with a fuse."""

    @asynccontextmanager
    async def opened(settings: Any, http: Any) -> AsyncIterator[FusedChannel]:
        async with email.MANIFEST.open(settings, http) as channel:
            yield FusedChannel(channel, fuse)

    return lambda _app: replace(email.MANIFEST, open=opened)


def fused_taker(
    settings: AgentServiceSettings, fuse: Fuse, home: Path
) -> Callable[[Platform], AbstractAsyncContextManager[FusedTaker]]:
    """Return what opens the real taker with the fuse around it and its tools."""
    tokens = ServiceTokens(SecretStr(os.environ["SERVICE_TOKEN_SECRET"]))  # a process of its own

    @asynccontextmanager
    async def opened(platform: Platform) -> AsyncIterator[FusedTaker]:
        definitions = load_definitions(shipped_agents(), default_agent_id=settings.default_agent_id)
        making = plan_of(settings, tokens, policy=LOOPBACK, access=ToolAccess())
        async with open_toolbox(making) as toolbox:
            await adopt(toolbox, shipped_agents(), definitions)
            store = DefinitionStore(platform.pools.durable)
            await store.remember(definitions)
            taker = ConversationTaker(
                platform.pools.durable,
                Engine(definitions, RulesUnderstander()),
                FusedTools(toolbox, fuse, home),
                definitions=definitions,
                store=store,
                progress=Progress(platform.notifier),
            )
            yield FusedTaker(taker, fuse)

    return opened


def application(fuse: Fuse, home: Path) -> FastAPI:
    """Return the services with the fuse at every step."""
    first, last = health_service("crashing", "0")
    agents, requests = read(AgentServiceSettings), read(RequestManagerSettings)
    services = [
        first,
        platform_service(read(DatabaseSettings), home),
        fused_bus(fuse),
        authentication(requests, policy=LOOPBACK),
        request_manager(requests, limits=read(AdmissionSettings)),
        integration_dispatcher(policy=LOOPBACK, email=fused_email(fuse)),
        agent_service(agents, partial(fused_taker(agents, fuse, home))),
        bus_service(),
        last,
    ]
    return create_app("crashing", "0", services)


if __name__ == "__main__":
    folder = Path(os.environ["SSA_HOME"])  # a process of its own
    chosen = Step[os.environ["CRASH_AT"]]  # a process of its own
    serve(application(Fuse(folder, chosen), folder), listen("127.0.0.1", int(sys.argv[-1])))
