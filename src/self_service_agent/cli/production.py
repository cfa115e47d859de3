"""What a start in production is refused for: doors that are open to everybody, and secrets that everybody can guess."""

import re
from collections.abc import Iterable, Iterator

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from self_service_agent.kit.settings import Settings, SettingsError
from self_service_agent.request_manager.keys.environment import TOOL_VARIABLES
from self_service_agent.request_manager.settings import RequestManagerSettings

from . import development

_SHORTEST_KEY = 16
# What examples, charts and guides put where a secret belongs.
_PLACEHOLDER = re.compile(
    r"(your|my|the|some)?[-_ ]?(change[-_ ]?(me|it|this)|password|passwd|secret|postgres|admin|root|test|default"
    r"|example|token|api[-_ ]?key|signing[-_ ]?secret|xxx+|todo|none|null|1234\d*)([-_ ]?(key|secret|token|here|\d+))*"
    r"|your[-_ ].*|<.*>",
    re.IGNORECASE,
)


class ServiceNowKey(Settings):
    """The one secret of a service that a process may have without serving it."""

    servicenow_api_key: SecretStr | None = None


def refuse_open_doors(manager: RequestManagerSettings, others: Iterable[BaseSettings]) -> None:
    """Raise `SettingsError` that names every variable by which everybody could come in."""
    problems = [*_switches(manager), *_keys(manager), *_placeholders([manager, *others])]
    if problems:
        raise SettingsError("; ".join(dict.fromkeys(problems)))


def _switches(manager: RequestManagerSettings) -> Iterator[str]:
    if manager.allow_anonymous_generic:
        yield "ALLOW_ANONYMOUS_GENERIC: only in development may anybody ask as anybody"


def _keys(manager: RequestManagerSettings) -> Iterator[str]:
    known = {login for login, _ in development.logins()} | {key for key, _ in development.TOOL_KEYS}
    keys = [("WEB_API_KEYS", key) for key in manager.web_api_keys]
    keys += [(TOOL_VARIABLES[tool], key.get_secret_value()) for tool, key in manager.tool_keys.items()]
    for variable, key in keys:
        if key in known:
            yield f"{variable}: holds a development key, which everybody knows"
        elif len(key) < _SHORTEST_KEY or _PLACEHOLDER.fullmatch(key):
            yield f"{variable}: a key has at least {_SHORTEST_KEY} characters that nobody can guess"


def _placeholders(settings: Iterable[BaseSettings]) -> Iterator[str]:
    for each in settings:
        for name, value in each:
            if isinstance(value, SecretStr) and _PLACEHOLDER.fullmatch(value.get_secret_value().strip()):
                yield f"{name.upper()}: is a placeholder, not a secret"
