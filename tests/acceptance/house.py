"""A house to ring at: request manager and agent service in one process, on a real port and a real PostgreSQL."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from pydantic import SecretStr

from self_service_agent.agent_service.app import OpenTaker, agent_service
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.agent_service.turns.progress import Progress
from self_service_agent.agent_service.turns.repository import ClaimedTurn, FinishedTurn
from self_service_agent.agent_service.turns.worker import TurnTaker
from self_service_agent.eventing.platform import Platform, bus_service, platform_of, platform_service
from self_service_agent.eventing.sink import event_sink
from self_service_agent.kit import clock
from self_service_agent.kit.database import Address, DatabaseSettings
from self_service_agent.kit.health import health_service
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service import Service, create_app
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.request_manager.admission.settings import AdmissionSettings
from self_service_agent.request_manager.app import authentication, request_manager
from self_service_agent.request_manager.settings import RequestManagerSettings
from self_service_agent.shared_models.approval_links import ApprovalLinks
from self_service_agent.shared_models.requests import AgentResponse
from tests.doubles_servicenow.serving import serving

LOGINS = ("alice.johnson", "brian.cole", "john.doe", "web-admin", *(f"person-{number}" for number in range(100)))
TOOL_KEY, OTHER_TOOL_KEY = "your-tool-api-key", "another-tool-api-key"
TOOLS = ((TOOL_KEY, "snow-integration"), (OTHER_TOOL_KEY, "hr-system"))
SLACK_SECRET = "the-signing-secret"


UNLIMITED = AdmissionSettings(
    rate_limit_per_minute=0,
    tool_rate_limit_per_minute=0,
    max_in_flight_per_caller=0,
    max_in_flight=0,
    max_loop_lag_seconds=0,
)


class ScriptedTaker:
    """Answers `echo: CONTENT`; a turn whose content has a gate waits until that is opened."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.attempts: Counter[str] = Counter()
        self.begun: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.gates: dict[str, asyncio.Event] = {}
        self.progress: Progress | None = None

    def hold(self, content: str) -> asyncio.Event:
        """Return the gate behind which turns of this content wait."""
        return self.gates.setdefault(content, asyncio.Event())

    async def take(self, turn: ClaimedTurn) -> FinishedTurn:
        request = turn.request
        self.attempts[request.request_id] += 1
        self.begun[request.content].set()
        if self.progress is not None:
            self.progress.say(request, "status", {"request_id": request.request_id, "status": "processing"})
        if gate := self.gates.get(request.content):
            await gate.wait()
        if self.progress is not None:
            self.progress.tokens(request, f"echo: {request.content}")
        self.taken.append(request.content)
        return _finished(turn, f"echo: {request.content}", failed=False)

    def apologise(self, turn: ClaimedTurn) -> FinishedTurn:
        return _finished(turn, "sorry", failed=True)


@dataclass(kw_only=True)
class House:
    """An open house; `client` speaks HTTP to it."""

    app: FastAPI
    url: str
    client: httpx2.AsyncClient
    platform: Platform
    taker: ScriptedTaker

    async def ask(
        self, content: str, *, user: str = "alice.johnson", door: str = "web", body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None, query: str = "",
    ) -> httpx2.Response:  # fmt: skip
        """Ask as `user`, whose login is the key, and return the answer."""
        return await self.client.post(
            f"/api/v1/requests/{door}{query}",
            json={"user_id": user, "content": content} | (body or {}),
            headers=as_person(user) | (headers or {}),
        )

    async def get(self, path: str, *, user: str = "alice.johnson") -> httpx2.Response:
        return await self.client.get(path, headers=as_person(user))

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.platform.pools.durable.fetch(query, *arguments)]

    async def value(self, query: str, *arguments: Any) -> Any:
        return await self.platform.pools.durable.fetchval(query, *arguments)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How a house differs from the usual one."""

    request_manager: dict[str, Any] = field(default_factory=dict)
    agent_service: dict[str, Any] = field(default_factory=dict)
    agents: bool = True
    conversations: OpenTaker | None = None
    sink: bool = False
    links: ApprovalLinks | None = None
    more: Sequence[Service] = ()


@asynccontextmanager
async def open_house(address: Address, home: Path, choices: Choices | None = None) -> AsyncIterator[House]:
    """Yield a house on this database; without `agents` it only takes requests and hands out answers."""
    choices = choices or Choices()
    taker = ScriptedTaker()
    app = _an_app(address, home, choices=choices, taker=taker)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(app))
        limits = httpx2.Limits(max_connections=None)
        client = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=20, limits=limits))
        yield House(app=app, url=url, client=client, platform=platform_of(app), taker=taker)


def as_person(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def gather_ordered(*asked: Any) -> list[httpx2.Response]:
    """Return all answers in the order asked."""
    return list(await asyncio.gather(*asked))


async def eventually(check: Any, *, within: float = 10) -> Any:
    """Return what `check` returns as soon as that is true."""
    async with asyncio.timeout(within):
        while not (found := await check()):  # a database row sets no event
            await asyncio.sleep(0.005)  # the database says nothing by itself
        return found


def _an_app(address: Address, home: Path, *, choices: Choices, taker: ScriptedTaker) -> FastAPI:
    settings = RequestManagerSettings(
        **{"agent_timeout": 20, "slack_signing_secret": SecretStr(SLACK_SECRET)} | choices.request_manager
    )
    first, last = health_service("house", "0")
    database = DatabaseSettings(
        postgres_host=address.host, postgres_port=address.port, postgres_db=address.database, db_pool_size=5
    )
    agents = AgentServiceSettings(**choices.agent_service)
    services = [
        first,
        platform_service(database, home),
        authentication(
            settings,
            policy=EgressPolicy(allow_loopback=True),
            development_logins=[(login, f"{login}@company.com") for login in LOGINS],
            development_tool_keys=TOOLS,
        ),
        request_manager(settings, limits=UNLIMITED),
        *(
            [agent_service(agents, choices.conversations or _opening(taker), links=choices.links)]
            if choices.agents
            else []
        ),
        *([event_sink(ServiceTokens(SecretStr("a secret of at least thirty-two bytes")))] if choices.sink else []),
        *choices.more,
        bus_service(),
        last,
    ]
    return create_app("House", "0", services)


def _opening(taker: ScriptedTaker) -> OpenTaker:
    @asynccontextmanager
    async def opened(platform: Platform) -> AsyncIterator[TurnTaker]:
        taker.progress = Progress(platform.notifier)
        yield taker

    return opened


def _finished(turn: ClaimedTurn, content: str, *, failed: bool) -> FinishedTurn:
    request = turn.request
    response = AgentResponse(
        request_id=request.request_id,
        session_id=request.session_id,
        user_id=request.user_id,
        agent_id="scripted",
        content=content,
        response_type="error" if failed else "message",
        metadata={"engine": "scripted"},
        created_at=clock.now(),
    )
    return FinishedTurn(
        request_id=request.request_id,
        session_id=request.session_id,
        lease_token=turn.lease_token,
        failed=failed,
        agent_id="scripted",
        definition_digest=None,
        checkpoint=None,
        pinned_digest=None,
        closes_session=request.content == "reset",
        response=response.model_dump_json(),
    )
