"""Whether the settings make sense, whether agents can be read from their files, and what production still needs."""

from collections.abc import Callable, Iterator
from functools import partial

from self_service_agent.agent_service.app import shipped_agents
from self_service_agent.agent_service.definitions.errors import DefinitionError
from self_service_agent.agent_service.definitions.loader import load_definitions
from self_service_agent.agent_service.embedding.settings import EmbeddingSettings
from self_service_agent.agent_service.models.settings import ModelSettings
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.cli import house
from self_service_agent.cli.development import TOOL_KEYS, logins
from self_service_agent.cli.server import BrowserSettings
from self_service_agent.cli.settings import HouseSettings
from self_service_agent.integration_dispatcher.settings import DeliverySettings, read_default_changes
from self_service_agent.kit.database import DatabaseSettings
from self_service_agent.kit.settings import SettingsError, read
from self_service_agent.request_manager.admission.settings import AdmissionSettings
from self_service_agent.request_manager.authentication.gateway import GatewaySettings
from self_service_agent.request_manager.authentication.issuers import EventSinkSettings, JwtSettings
from self_service_agent.request_manager.settings import RequestManagerSettings

from .report import Finding, broken, ok, warning

_PRODUCTION = "production"
_READERS: tuple[Callable[[], object], ...] = (
    partial(read, HouseSettings),
    partial(read, DatabaseSettings),
    partial(read, RequestManagerSettings),
    partial(read, AdmissionSettings),
    partial(read, JwtSettings),
    partial(read, EventSinkSettings),
    partial(read, GatewaySettings),
    partial(read, BrowserSettings),
    partial(read, AgentServiceSettings),
    partial(read, EmbeddingSettings),
    partial(read, ModelSettings),
    partial(read, DeliverySettings),
    read_default_changes,
)


def settings() -> Finding:
    """Read the settings of every service."""
    problems = list(filter(None, map(_problem, _READERS)))
    if problems:
        return broken("settings", "; ".join(dict.fromkeys(problems)), "correct these variables")
    return ok("settings", "every variable makes sense")


def agents() -> Finding:
    """Read the agent definitions as the agent service would."""
    wanted = read(AgentServiceSettings)
    folder = wanted.agents_folder or shipped_agents()
    try:
        definitions = load_definitions(folder, default_agent_id=wanted.default_agent_id)
    except (DefinitionError, OSError) as error:
        return broken("agents", str(error), f"correct the files in {folder}")
    return ok("agents", ", ".join(definition.id for definition in definitions))


def channels() -> Finding:
    """Read the settings of every channel."""
    try:
        house.check_channels()
    except SettingsError as error:
        return broken("channels", str(error), "set what is missing, or unset the channel's variables")
    return ok("channels", "their settings make sense")


def production(house_settings: HouseSettings) -> list[Finding]:
    """Name everything that is missing or unsafe for production; in development there is nothing to say."""
    if house_settings.is_development:
        return [ok(_PRODUCTION, "this is a development installation (SSA_ENV)")]
    manager = read(RequestManagerSettings)
    findings = [*_missing(house_settings), *_unsafe(house_settings, manager), *_unreachable(manager)]
    return findings or [ok(_PRODUCTION, "nothing is missing or unsafe")]


def _missing(settings: HouseSettings) -> Iterator[Finding]:
    if settings.service_token_secret is None:
        yield broken(_PRODUCTION, "SERVICE_TOKEN_SECRET is not set", "set it to 32 random bytes or more")
    if settings.servicenow_instance_url is None:
        yield broken(_PRODUCTION, "SERVICENOW_INSTANCE_URL is not set", "set it to the address of your instance")


def _unsafe(settings: HouseSettings, manager: RequestManagerSettings) -> Iterator[Finding]:
    known = {login for login, _ in logins()}
    if known & set(manager.web_api_keys):
        yield broken(_PRODUCTION, "WEB_API_KEYS holds development keys", "replace them by random ones")
    tool_keys = {key.get_secret_value() for key in manager.tool_keys.values()}
    if tool_keys & {key for key, _ in TOOL_KEYS}:
        yield broken(_PRODUCTION, "a tool key is the one of the guides", "replace it by a random one")
    if manager.allow_anonymous_generic:
        yield broken(_PRODUCTION, "ALLOW_ANONYMOUS_GENERIC lets everybody in as anybody", "unset it")
    if settings.egress_allow_loopback:
        yield warning(_PRODUCTION, "EGRESS_ALLOW_LOOPBACK opens this machine to webhooks", "unset it")


def _unreachable(manager: RequestManagerSettings) -> Iterator[Finding]:
    if not manager.web_api_keys and not manager.tool_keys and manager.slack_signing_secret is None:
        yield warning(_PRODUCTION, "no key lets anybody in", "set WEB_API_KEYS, a tool key or SLACK_SIGNING_SECRET")


def _problem(reader: Callable[[], object]) -> str | None:
    try:
        reader()
    except SettingsError as error:
        return str(error)
    return None
