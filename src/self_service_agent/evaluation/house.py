"""The real system in this process, on loopback: its own PostgreSQL, every service, and a world that can be watched."""

import shutil
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import HttpUrl, SecretStr

from self_service_agent.agent_service.app import agent_service, conversations, shipped_agents
from self_service_agent.agent_service.embedding.opening import embedding_service, open_embedder
from self_service_agent.agent_service.embedding.settings import EmbeddingSettings
from self_service_agent.agent_service.models.settings import ModelSettings
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.agent_service.tools.opening import ToolAccess
from self_service_agent.doubles.openai.app import create_app as create_model
from self_service_agent.doubles.openai.script import Script
from self_service_agent.doubles.servicenow.employees import MockEmployee, employees
from self_service_agent.eventing.platform import Platform, bus_service, platform_of, platform_service
from self_service_agent.kit.database import DatabaseSettings
from self_service_agent.kit.health import health_service
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service import Service, create_app
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.kit.settings import read
from self_service_agent.mcp_servers.servicenow import app as servicenow_tools
from self_service_agent.mcp_servers.servicenow.settings import ToolServerSettings
from self_service_agent.request_manager.admission.settings import AdmissionSettings
from self_service_agent.request_manager.app import authentication, request_manager
from self_service_agent.request_manager.settings import RequestManagerSettings

from .scenarios import Scenario
from .scripted import scripted_model
from .witness import ToolWitness
from .world import World

OPERATOR = "web-admin"
_SECRET = SecretStr("signs the credentials of one evaluation and of nothing else")
_LOOPBACK = EgressPolicy(allow_loopback=True)
_TOOLS, _SERVICENOW, _MODEL = "/tools/servicenow", "/mock-servicenow", "/scripted-model"
_UNLIMITED = AdmissionSettings(
    rate_limit_per_minute=0,
    tool_rate_limit_per_minute=0,
    max_in_flight_per_caller=0,
    max_in_flight=0,
    max_loop_lag_seconds=0,
)


@dataclass(frozen=True, kw_only=True)
class House:
    """A running system and the world around it."""

    url: str
    platform: Platform
    world: World
    tools: ToolWitness
    agents_folder: Path


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a house is set up: who lives in the world, and what differs from the settings of the environment."""

    people: Mapping[str, MockEmployee]
    scenarios: Sequence[Scenario]
    agents_folder: Path | None = None
    agent_service: Mapping[str, Any] | None = None
    patience_seconds: float = 60
    embeds: bool = True
    models: ModelSettings | None = None
    script: Script | None = None
    """What a scripted model says, which then understands instead of the one that `models` names."""


@asynccontextmanager
async def open_house(home: Path, plan: Plan) -> AsyncIterator[House]:
    """Yield a house whose data is in `home`; nothing of it is reachable from elsewhere, and it reaches nothing else."""
    agents = home / "agents"
    shutil.copytree(plan.agents_folder or shipped_agents(), agents)
    listening = _listening()
    world, tokens = World(plan.people, plan.scenarios), ServiceTokens(_SECRET)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = servicenow_tools.create_app(_tool_settings(f"{base}{_SERVICENOW}"))
    witness = ToolWitness(server, tokens)
    settings = _agent_settings(plan, agents_folder=agents)
    embedder = open_embedder(EmbeddingSettings()) if plan.embeds else None
    access = ToolAccess(servicenow_url=f"{base}{_TOOLS}/mcp", may_use_unpinned=True)
    models = plan.models if plan.script is None else scripted_model(f"{base}{_MODEL}/v1")
    manager = RequestManagerSettings(agent_timeout=plan.patience_seconds)
    first, last = health_service("evaluation", "0")
    services = [
        first,
        platform_service(DatabaseSettings(postgres_host=None), home),
        _mounted("mock-servicenow", {_SERVICENOW: world}),
        *([] if plan.script is None else [_mounted("scripted-model", {_MODEL: create_model(plan.script)})]),
        _tool_server(server, witness),
        authentication(manager, policy=_LOOPBACK, development_logins=_logins(plan.people)),
        request_manager(manager, limits=_UNLIMITED),
        embedding_service(embedder),
        agent_service(
            settings,
            conversations(settings, tokens, policy=_LOOPBACK, models=models, embedder=embedder, access=access),
            embedder=embedder,
        ),
        bus_service(),
        last,
    ]
    app = create_app("Evaluation", "0", services)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_serving(app, listening))
        if embedder is not None:
            await embedder.embed(["ready"])  # the first scenarios are understood no worse than the last
        yield House(url=base, platform=platform_of(app), world=world, tools=witness, agents_folder=agents)


def _agent_settings(plan: Plan, *, agents_folder: Path) -> AgentServiceSettings:
    settings = read(AgentServiceSettings)
    known: dict[str, Any] = {
        "agents_folder": agents_folder,
        "mcp_servicenow_url": None,
        "agent_timeout": plan.patience_seconds,
        "approver_groups": {},  # administrators decide for groups that nobody has set up
    }
    return settings.model_copy(update={**known, **(plan.agent_service or {})})


def _tool_settings(instance_url: str) -> ToolServerSettings:
    return ToolServerSettings(
        service_token_secret=_SECRET, servicenow_instance_url=HttpUrl(instance_url), egress_allow_loopback=True
    )


def _logins(people: Mapping[str, MockEmployee]) -> list[tuple[str, str]]:
    """Return (login, e-mail) of everybody: who asks, the mock's own people, who approve, and an operator."""
    known = [(person.login, person.email) for person in (*people.values(), *employees())]
    return [*known, (OPERATOR, f"{OPERATOR}@company.com")]


def _mounted(name: str, mounts: Mapping[str, Any]) -> Service:
    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        yield

    return Service(name=name, open=run, mounts=dict(mounts))


def _tool_server(server: Any, witness: ToolWitness) -> Service:
    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        async with server.router.lifespan_context(server):
            yield

    return Service(name="mcp-servicenow", open=run, mounts={_TOOLS: witness})


def _listening() -> socket.socket:
    # Naming TCP is what makes asyncio switch off Nagle's delay on accepted connections.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(1024)
    return listening


@asynccontextmanager
async def _serving(app: FastAPI, listening: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    async with app.router.lifespan_context(app):
        await server.startup(sockets=[listening])
        try:
            yield
        finally:
            await server.shutdown(sockets=[listening])
