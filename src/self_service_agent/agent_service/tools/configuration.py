"""Which tool servers there are, as an operator writes them down: by name, over HTTP or as a command."""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    HttpUrl,
    StringConstraints,
    Tag,
    ValidationError,
)

from self_service_agent.kit.settings import SettingsError

ServerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=200)]


def _without_credentials(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise ValueError("credentials do not belong in a URL: name the variable that holds them")
    return url


ServerUrl = Annotated[HttpUrl, AfterValidator(_without_credentials)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HttpServer(_Part):
    """A server at a URL. `bearer` and `headers` name the variables that hold the values.

    A server with an `audience` gets a credential that we sign, and that says for whom we call.
    """

    url: ServerUrl
    bearer: Variable | None = None
    headers: dict[HeaderName, Variable] = Field(default_factory=dict)
    audience: str | None = Field(default=None, min_length=1, max_length=100)
    concurrency: int = Field(default=16, ge=1, le=1000)

    @property
    def variables(self) -> tuple[str, ...]:
        return (*self.headers.values(), *([self.bearer] if self.bearer else []))


class CommandServer(_Part):
    """A server that we run; of our environment it gets what every program needs, and the variables named here."""

    command: str = Field(min_length=1)
    args: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    folder: Path | None = None
    concurrency: int = Field(default=16, ge=1, le=1000)

    @property
    def variables(self) -> tuple[str, ...]:
        return self.env


Server = HttpServer | CommandServer


def _sort_of(written: Any) -> str:
    return "command" if isinstance(written, dict) and "command" in written else "url"


_Written = Annotated[
    Annotated[HttpServer, Tag("url")] | Annotated[CommandServer, Tag("command")], Discriminator(_sort_of)
]


class _File(_Part):
    servers: dict[ServerName, _Written]


def read_servers(path: Path) -> dict[str, Server]:
    """Read the file of MCP_SERVERS, JSON or YAML, or raise `SettingsError`."""
    try:
        content = _content_of(path)
        if not isinstance(content, dict):
            raise SettingsError(f"MCP_SERVERS: {path} must have the servers by name under `servers`")
        return dict(_File.model_validate(content).servers)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"MCP_SERVERS: {path}: {place}: {first['msg']}") from None


def _content_of(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"MCP_SERVERS: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"MCP_SERVERS: {path} cannot be read: it is not UTF-8") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(f"MCP_SERVERS: {path} is neither JSON nor YAML") from error
