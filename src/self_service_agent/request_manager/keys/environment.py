"""Keys that the environment of a service holds: they work like stored ones and are changed where they are set."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from self_service_agent.kit.ids import derived_id
from self_service_agent.shared_models.users import Role

from .rules import ApiKey, KeyOwner, Origin
from .text import digest, hint_of

# A tool's variable, by the tool.
TOOL_VARIABLES = {
    "snow-integration": "SNOW_API_KEY",
    "hr-system": "HR_API_KEY",
    "monitoring-system": "MONITORING_API_KEY",
}
# Two development keys are more than a person's: one administers, one is a test program's, which asks for anybody.
_DEVELOPMENT_ROLES = {"web-admin": Role.ADMIN, "web-test-user": Role.SERVICE}


@dataclass(frozen=True, slots=True)
class EnvironmentKeys:
    """Keys by their digest; the keys themselves are not kept."""

    keys: Mapping[str, ApiKey] = field(default_factory=dict)

    def __or__(self, others: "EnvironmentKeys") -> "EnvironmentKeys":
        """Return both; where they hold the same key, `others` win."""
        return EnvironmentKeys({**self.keys, **others.keys})


def environment_keys(*, web_api_keys: Mapping[str, str], tool_keys: Mapping[str, SecretStr]) -> EnvironmentKeys:
    """Read `WEB_API_KEYS` (key to e-mail) and the variables of the tools (tool to key)."""
    keys = {
        digest(key): _key(
            key,
            Origin.ENVIRONMENT,
            name="WEB_API_KEYS",
            owner=_person(f"WEB_API_KEYS/{number}", email=email.casefold()),
        )
        for number, (key, email) in enumerate(web_api_keys.items())
    }
    for tool_id, secret in tool_keys.items():
        variable = TOOL_VARIABLES.get(tool_id, tool_id)
        key = secret.get_secret_value()
        keys[digest(key)] = _key(key, Origin.ENVIRONMENT, name=variable, owner=_tool(variable, tool_id))
    return EnvironmentKeys(keys)


def development_keys(*, logins: Iterable[tuple[str, str]], tool_keys: Iterable[tuple[str, str]]) -> EnvironmentKeys:
    """Make keys of (login, e-mail), the login being the key, and of (key, tool)."""
    keys = {
        digest(login): _key(
            login,
            Origin.DEVELOPMENT,
            name="development",
            owner=_person(f"development/{login}", login=login, email=email),
        )
        for login, email in logins
    }
    for key, tool_id in tool_keys:
        keys[digest(key)] = _key(
            key, Origin.DEVELOPMENT, name="development", owner=_tool(f"development/tool/{tool_id}", tool_id)
        )
    return EnvironmentKeys(keys)


def _key(key: str, origin: Origin, *, name: str, owner: KeyOwner) -> ApiKey:
    return ApiKey(owner=owner, origin=origin, hint=hint_of(key), name=name, created_by=None, created_at=None)


# The id of a key comes from where it is set and not from the key, which may be short enough to be found by trying.
def _person(place: str, *, email: str, login: str | None = None) -> KeyOwner:
    roles = frozenset({Role.USER, _DEVELOPMENT_ROLES.get(login or "", Role.USER)})
    return KeyOwner(key_id=derived_id("api-key", place), login=login, email=email, roles=roles)


def _tool(place: str, tool_id: str) -> KeyOwner:
    return KeyOwner(key_id=derived_id("api-key", place), tool_id=tool_id, roles=frozenset({Role.SERVICE}))
