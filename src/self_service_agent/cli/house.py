"""Which services make up a process: everything at once for `ssa up`, or one by its name for `ssa serve`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from pydantic import SecretStr

from self_service_agent.agent_service.app import agent_service, conversations
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.eventing.platform import bus_service, platform_service
from self_service_agent.integration_dispatcher.app import integration_dispatcher
from self_service_agent.kit.database import DatabaseSettings
from self_service_agent.kit.health import health_service
from self_service_agent.kit.service import Service, create_app
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.kit.settings import SettingsError, read
from self_service_agent.mcp_servers.servicenow import app as servicenow_tools
from self_service_agent.mcp_servers.servicenow.settings import ToolServerSettings
from self_service_agent.request_manager.app import authentication, request_manager
from self_service_agent.request_manager.settings import RequestManagerSettings

from . import development
from .settings import HouseSettings

VERSION = version("self-service-agent")
TOOLS_PATH = "/tools/servicenow"


def everything(settings: HouseSettings, *, port: int) -> FastAPI:
    """Return all services in one application that will answer on `port` of this machine."""
    is_development = settings.ssa_env == "development"
    base = f"http://127.0.0.1:{port}"
    tokens = _tokens(settings)
    agents = read(AgentServiceSettings)
    if agents.mcp_servicenow_url is None:
        agents = agents.model_copy(update={"mcp_servicenow_url": f"{base}{TOOLS_PATH}/mcp"})
    first, last = health_service("self-service-agent", VERSION)
    own_mailbox = is_development and not settings.smtp_host
    services = [
        first,
        platform_service(read(DatabaseSettings), settings.ssa_home),
        _callers(is_development=is_development),
        *_servicenow(settings, base=base),
        *([development.mailbox()] if own_mailbox else []),
        request_manager(read(RequestManagerSettings)),
        integration_dispatcher(
            policy=settings.egress(development=is_development),
            email=development.email_to_mailbox if own_mailbox else None,
        ),
        # The tools answer on this same port, so the way to them is always through this machine.
        agent_service(agents, conversations(agents, tokens, policy=settings.egress(development=True))),
        bus_service(),
        last,
    ]
    return create_app("Self-Service Agent", VERSION, services)


def _callers(*, is_development: bool) -> Service:
    settings = read(RequestManagerSettings)
    if not is_development:
        return authentication(settings)
    return authentication(
        settings, development_logins=development.logins(), development_tool_keys=development.TOOL_KEYS
    )


def _servicenow(settings: HouseSettings, *, base: str) -> list[Service]:
    """Return the tool server, and in development without an instance of its own a mock one behind it."""
    is_mocked = settings.servicenow_instance_url is None
    if is_mocked and settings.ssa_env != "development":
        raise SettingsError("SERVICENOW_INSTANCE_URL is not set")
    url = f"{base}{development.SERVICENOW_PATH}" if is_mocked else settings.servicenow_instance_url
    tools = servicenow_tools.create_app(
        read(ToolServerSettings).model_copy(
            update={
                "servicenow_instance_url": url,
                "egress_allow_loopback": settings.egress_allow_loopback or settings.ssa_env == "development",
            }
        )
        if settings.service_token_secret and settings.servicenow_instance_url
        else ToolServerSettings(
            service_token_secret=_secret(settings), servicenow_instance_url=url,  # type: ignore[arg-type]  # pydantic reads the text
            egress_allow_loopback=True,
        )
    )

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        async with tools.router.lifespan_context(tools):
            yield

    mounted = Service(name="mcp-servicenow", open=run, mounts={TOOLS_PATH: tools})
    return [mounted, *([development.mock_servicenow(settings.ssa_home)] if is_mocked else [])]


def _tokens(settings: HouseSettings) -> ServiceTokens:
    return ServiceTokens(_secret(settings), previous=settings.service_token_secret_previous)


def _secret(settings: HouseSettings) -> SecretStr:
    if settings.service_token_secret is not None:
        return settings.service_token_secret
    if settings.ssa_env == "production":
        raise SettingsError("SERVICE_TOKEN_SECRET is not set")
    return development.service_token_secret(settings.ssa_home)
