"""Which services make up a process: everything at once for `ssa up`, or one by its name for `ssa serve`."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from pydantic import HttpUrl, SecretStr, ValidationError, create_model
from pydantic_settings import BaseSettings

from self_service_agent.agent_service.app import agent_service, conversations
from self_service_agent.agent_service.embedding.opening import embedding_service, open_embedder
from self_service_agent.agent_service.embedding.settings import EmbeddingSettings
from self_service_agent.agent_service.models.settings import ModelSettings
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.agent_service.tools.opening import ToolAccess
from self_service_agent.eventing.platform import bus_service, platform_service
from self_service_agent.eventing.sink import event_sink
from self_service_agent.integration_dispatcher.app import integration_dispatcher
from self_service_agent.integration_dispatcher.channels import MANIFESTS
from self_service_agent.kit.database import DatabaseSettings
from self_service_agent.kit.health import health_service
from self_service_agent.kit.service import Service, create_app
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.kit.settings import SettingsError, read
from self_service_agent.kit.validation import complaint
from self_service_agent.mcp_servers.servicenow import app as servicenow_tools
from self_service_agent.mcp_servers.servicenow.settings import ToolServerSettings
from self_service_agent.request_manager.admission.settings import AdmissionSettings
from self_service_agent.request_manager.app import authentication, request_manager
from self_service_agent.request_manager.settings import RequestManagerSettings
from self_service_agent.shared_models.approval_links import ApprovalLinks

from . import development
from .ports import PORTS, Name
from .production import ServiceNowKey, refuse_open_doors
from .settings import HouseSettings

VERSION = version("self-service-agent")
TOOLS_PATH = "/tools/servicenow"
Say = Callable[[str], None]


def everything(settings: HouseSettings, *, port: int, say: Say) -> FastAPI:
    """Return all services in one application that will answer on `port` of this machine."""
    base = f"http://127.0.0.1:{port}"
    is_mocked = settings.is_development and settings.servicenow_instance_url is None
    services = [
        _tools(settings, mock_url=f"{base}{development.SERVICENOW_PATH}", path=TOOLS_PATH),
        *([development.mock_servicenow(settings.ssa_home, path=development.SERVICENOW_PATH)] if is_mocked else []),
        _callers(settings),
        request_manager(read(RequestManagerSettings), limits=read(AdmissionSettings)),
        *_dispatching(settings, links=_approval_links(settings, base)),
        *_agents(settings, tools_url=f"{base}{TOOLS_PATH}/mcp", is_tool_server_here=True, base=base),
    ]
    return _app("self-service-agent", _on_platform(settings, services, say=say))


def alone(name: Name, settings: HouseSettings, *, say: Say) -> FastAPI:
    """Return one service in an application of its own; the others are found at their usual ports."""
    match name:
        case Name.REQUEST_MANAGER:
            services = [
                _callers(settings),
                request_manager(read(RequestManagerSettings), limits=read(AdmissionSettings)),
            ]
        case Name.INTEGRATION_DISPATCHER:
            base = f"http://127.0.0.1:{PORTS[Name.AGENT_SERVICE]}"
            services = [_callers(settings), *_dispatching(settings, links=_approval_links(settings, base))]
        case Name.AGENT_SERVICE:
            url = f"http://127.0.0.1:{PORTS[Name.MCP_SERVICENOW]}/mcp"
            services = [_callers(settings), *_agents(settings, tools_url=url, is_tool_server_here=False, base=None)]
        case Name.MCP_SERVICENOW:
            url = f"http://127.0.0.1:{PORTS[Name.MOCK_SERVICENOW]}"
            return _app(name, [_tools(settings, mock_url=url, path="/")])
        case Name.MOCK_SERVICENOW | Name.MOCK_MODEL:
            return _app(name, [_double(name, settings)])
    return _app(name, _on_platform(settings, services, say=say))


def _double(name: Name, settings: HouseSettings) -> Service:
    if not settings.is_development:
        raise SettingsError(f"{name} runs in development only: SSA_ENV is production")
    if name is Name.MOCK_MODEL:
        return development.mock_model()
    return development.mock_servicenow(settings.ssa_home, path="/")


def tool_settings(settings: HouseSettings, *, mock_url: str) -> ToolServerSettings:
    """Return what the environment says about the tool server, completed by what is known here.

    An installation makes its own secret in development, and finds its own mock ServiceNow on this machine.
    """
    known: dict[str, Any] = {"service_token_secret": (SecretStr, _secret(settings))}
    if settings.is_development:
        known |= {
            "servicenow_instance_url": (HttpUrl, HttpUrl(mock_url)),
            "egress_allow_loopback": (bool, True),
        }
    return read(create_model("ToolServerSettings", __base__=ToolServerSettings, **known))


def check_channels() -> None:
    """Raise `SettingsError` if what the environment says about a channel does not make sense."""
    for manifest in MANIFESTS:
        try:
            manifest.read_settings()
        except ValidationError as error:
            complaints = [f"{'.'.join(map(str, each['loc'])).upper()}: {complaint(each)}" for each in error.errors()]
            raise SettingsError("; ".join(complaints)) from None  # the cause holds values, among them secrets


def _app(name: str, services: list[Service]) -> FastAPI:
    first, last = health_service(name, VERSION)
    return create_app(name.replace("-", " ").title(), VERSION, [first, *services, last])


def _on_platform(settings: HouseSettings, services: list[Service], *, say: Say) -> list[Service]:
    """Put the database underneath and the flow of events on top."""
    database = read(DatabaseSettings)
    where = database.postgres_host or "its own PostgreSQL"
    return [
        _saying(say, f"opening {where} and bringing the tables up to date"),
        platform_service(database, settings.ssa_home),
        _saying(say, "starting the services"),
        *services,
        event_sink(service_tokens(settings)),
        bus_service(),
    ]


def _saying(say: Say, text: str) -> Service:
    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        say(text)
        yield

    return Service(name="progress", open=run)


def _callers(settings: HouseSettings) -> Service:
    manager = read(RequestManagerSettings)
    if not settings.is_development:
        check_channels()
        refuse_open_doors(manager, [settings, *_secrets_of_others()])
        return authentication(manager, policy=settings.egress(development=False))
    return authentication(
        manager,
        policy=settings.egress(development=True),
        development_logins=development.logins(),
        development_tool_keys=development.TOOL_KEYS,
    )


def _secrets_of_others() -> Iterator[BaseSettings]:
    yield read(DatabaseSettings)
    yield read(ServiceNowKey)
    for manifest in MANIFESTS:
        configured = manifest.read_settings()
        if isinstance(configured, BaseSettings):
            yield configured


def _dispatching(settings: HouseSettings, *, links: ApprovalLinks) -> list[Service]:
    """Return the dispatcher, and in development without a mail server of its own the mailbox that it sends to."""
    check_channels()
    policy = settings.egress(development=settings.is_development)
    if not settings.is_development or settings.smtp_host:
        return [integration_dispatcher(policy=policy, links=links)]
    return [
        development.mailbox(),
        integration_dispatcher(policy=policy, email=development.email_to_mailbox, links=links),
    ]


def _agents(settings: HouseSettings, *, tools_url: str, is_tool_server_here: bool, base: str | None) -> list[Service]:
    agents = read(AgentServiceSettings)
    if settings.is_development and "agents_watch" not in agents.model_fields_set:
        agents = agents.model_copy(update={"agents_watch": True})
    if settings.is_development and not agents.approver_groups:
        agents = agents.model_copy(update={"approver_groups": development.APPROVERS})
    policy = settings.egress(development=settings.is_development or is_tool_server_here)
    embedder = open_embedder(read(EmbeddingSettings))
    opening = conversations(
        agents,
        service_tokens(settings),
        policy=policy,
        models=read(ModelSettings),
        embedder=embedder,
        access=ToolAccess(servicenow_url=tools_url, may_use_unpinned=settings.is_development),
    )
    links = _approval_links(settings, base)
    return [embedding_service(embedder), agent_service(agents, opening, links=links, embedder=embedder)]


def _tools(settings: HouseSettings, *, mock_url: str, path: str) -> Service:
    tools = servicenow_tools.create_app(tool_settings(settings, mock_url=mock_url))

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        async with tools.router.lifespan_context(tools):
            yield

    return Service(name="mcp-servicenow", open=run, mounts={path: tools})


def service_tokens(settings: HouseSettings) -> ServiceTokens:
    return ServiceTokens(_secret(settings), previous=settings.service_token_secret_previous)


def _approval_links(settings: HouseSettings, base: str | None) -> ApprovalLinks:
    """Return what makes links below the public address; in development this machine's own will do."""
    public = str(settings.public_url) if settings.public_url else base if settings.is_development else None
    return ApprovalLinks(_secret(settings), base_url=public, previous=settings.service_token_secret_previous)


def _secret(settings: HouseSettings) -> SecretStr:
    if settings.service_token_secret is not None:
        return settings.service_token_secret
    if not settings.is_development:
        raise SettingsError("SERVICE_TOKEN_SECRET is not set")
    return development.service_token_secret(settings.ssa_home)
