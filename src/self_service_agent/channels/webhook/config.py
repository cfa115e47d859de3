"""Where webhooks go and how they are authenticated, for the installation and for one user."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from .signature import signing_key

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4096}")
# What we set ourselves, and what would break the framing of the request.
_OUR_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "te",
        "traceparent",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
    | {"user-agent", "webhook-id", "webhook-timestamp", "webhook-signature", "x-request-id", "x-session-id"}
)


def _web_url(text: str) -> str:
    if not text.isprintable() or " " in text:  # before urlsplit, which drops some of these in silence
        raise ValueError("must not contain spaces or control characters")
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https URL")
    _check_port(parts)
    if parts.username or parts.password:
        raise ValueError("must not contain a user name or password; use auth_type basic")
    return text


def _check_port(parts: SplitResult) -> None:
    try:
        possible = parts.port != 0
    except ValueError:
        possible = False
    if not possible:
        raise ValueError("must have a port between 1 and 65535")


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _OUR_HEADERS:
        raise ValueError("must be the name of a header that we do not set ourselves")
    return name


def _header_value(value: str) -> str:
    if not _HEADER_VALUE.fullmatch(value):
        raise ValueError("must be printable ASCII on one line")
    return value


def _secret_header_value(value: SecretStr) -> SecretStr:
    _header_value(value.get_secret_value())
    return value


def _signing_secret(secret: SecretStr) -> SecretStr:
    signing_key(secret.get_secret_value())
    return secret


def _nothing_for_none(value: object) -> object:
    return None if value in {"none", ""} else value


WebUrl = Annotated[str, Field(max_length=2048), AfterValidator(_web_url)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]
SecretHeaderValue = Annotated[SecretStr, AfterValidator(_secret_header_value)]
SigningSecret = Annotated[SecretStr, AfterValidator(_signing_secret)]


class WebhookSettings(BaseSettings):
    """The installation's own webhook; the secret signs for every address that has none of its own."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    default_webhook_url: WebUrl | None = Field(default=None, repr=False)  # many a URL is a secret itself
    webhook_secret: SigningSecret | None = None


class WebhookAddress(BaseModel):
    """One receiver; without a `url`, the installation's own."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    url: WebUrl | None = Field(default=None, repr=False, validation_alias=AliasChoices("url", "webhook_url"))
    headers: Mapping[HeaderName, HeaderValue] = Field(default={}, repr=False)
    auth_type: Annotated[Literal["bearer", "api_key", "basic"] | None, BeforeValidator(_nothing_for_none)] = None
    token: SecretHeaderValue | None = None
    api_key: SecretHeaderValue | None = None
    key_header: HeaderName = "X-API-Key"
    username: str | None = None
    password: SecretStr | None = None
    secret: SigningSecret | None = None

    @model_validator(mode="after")
    def _knows_its_credential(self) -> Self:
        needed = {"bearer": self.token, "api_key": self.api_key or self.token, "basic": self.username}
        if self.auth_type and not needed[self.auth_type]:
            raise ValueError(f"auth_type {self.auth_type} comes without its credential")
        return self


def read_settings() -> WebhookSettings:
    """Return the settings; the channel needs none, since a user can name a URL."""
    return WebhookSettings()


def has_default_url(settings: WebhookSettings) -> bool:
    """Tell whether everybody can be reached, also without a URL of their own."""
    return settings.default_webhook_url is not None
