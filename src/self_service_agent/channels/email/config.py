"""Which SMTP server sends our mail, who it is from, and how one person wants theirs."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

# Plain ASCII without quoting: what every server takes, and nothing that could end an SMTP command or a header.
MailAddress = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"
    ),
]


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be printable and on one line")
    return text


class EmailSettings(BaseSettings):
    """The server and the sender; the login is the sender where FROM_EMAIL is not set."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    smtp_host: str
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_use_tls: bool = True
    smtp_ca_file: FilePath | None = None
    smtp_connections: int = Field(default=4, ge=1, le=100)
    smtp_timeout_seconds: float = Field(default=60.0, gt=0, le=600)
    smtp_idle_seconds: float = Field(default=30.0, ge=0, le=3600)
    from_email: MailAddress
    from_name: Annotated[str, Field(max_length=100), AfterValidator(_one_line)] = "Self-Service Agent"

    @model_validator(mode="before")
    @classmethod
    def _login_is_sender(cls, values: dict[str, Any]) -> dict[str, Any]:
        login = values.get("smtp_username")
        return {"from_email": login, **values} if login else values


class EmailAddress(BaseModel):
    """One person's mailbox, and how they want their mail."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    email_address: MailAddress
    format: Literal["html", "text"] = "html"
    include_agent_info: bool = True


class _Switch(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    smtp_host: str | None = None


def read_settings() -> EmailSettings | None:
    """Return the settings, or None where no SMTP server is named."""
    return EmailSettings() if _Switch().smtp_host else None
