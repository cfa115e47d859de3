"""Settings from the environment, and what a wrong environment is told."""

import traceback
from typing import Literal

import pytest
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from self_service_agent.kit.settings import Settings, SettingsError, read


class Mail(Settings):
    smtp_host: str
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_password: SecretStr = SecretStr("")
    log_format: Literal["json", "console"] = "json"
    jwt_issuers: tuple[dict[str, str], ...] = ()

    @field_validator("smtp_password")
    @classmethod
    def _strong(cls, value):
        if value.get_secret_value().isdigit():
            raise ValueError(f"{value.get_secret_value()} is too weak")
        return value

    @model_validator(mode="after")
    def _complete(self):
        if self.smtp_host == "lonely" and not self.smtp_password.get_secret_value():
            raise ValueError("SMTP_PASSWORD is needed with SMTP_HOST")
        return self


def given(monkeypatch, **variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_a_field_is_the_variable_of_its_name(monkeypatch):
    given(monkeypatch, SMTP_HOST="mail.example", SMTP_PORT="25", SMTP_PASSWORD="abc", JWT_ISSUERS='[{"issuer": "a"}]')

    settings = read(Mail)

    assert settings == Mail(
        smtp_host="mail.example", smtp_port=25, smtp_password=SecretStr("abc"), jwt_issuers=({"issuer": "a"},)
    )


def test_an_empty_variable_is_an_unset_one(monkeypatch):
    given(monkeypatch, SMTP_HOST="mail.example", SMTP_PORT="")

    assert read(Mail).smtp_port == 587


def test_settings_cannot_be_changed(monkeypatch):
    given(monkeypatch, SMTP_HOST="mail.example")

    with pytest.raises(ValidationError):
        read(Mail).smtp_port = 25


def test_a_misspelt_field_is_refused():
    with pytest.raises(ValidationError):
        Mail(smtp_host="mail.example", smtp_prot=25)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        pytest.param({}, "SMTP_HOST is not set", id="missing"),
        pytest.param(
            {"SMTP_PORT": "secret-a"},
            "SMTP_HOST is not set; SMTP_PORT: Input should be a valid integer, unable to parse string as an integer",
            id="two at once",
        ),
        pytest.param(
            {"SMTP_HOST": "a", "LOG_FORMAT": "xml"},
            "LOG_FORMAT: Input should be 'json' or 'console'",
            id="a choice",
        ),
        pytest.param(
            {"SMTP_HOST": "a", "SMTP_PASSWORD": "12345678"}, "SMTP_PASSWORD: is not valid", id="a quoted value"
        ),
        pytest.param({"SMTP_HOST": "a", "JWT_ISSUERS": "[secret-b"}, "JWT_ISSUERS is not valid JSON", id="broken JSON"),
        pytest.param(
            {"SMTP_HOST": "lonely"},
            "SMTP_PASSWORD is needed with SMTP_HOST",
            id="variables that do not go together",
        ),
        pytest.param(
            {"SMTP_HOST": "a", "JWT_ISSUERS": '[{"issuer": 17}]'},
            "JWT_ISSUERS.0.issuer: Input should be a valid string",
            id="a place in JSON",
        ),
    ],
)
def test_a_wrong_environment_is_told_by_variable_and_never_by_value(monkeypatch, variables, message):
    given(monkeypatch, **variables)

    with pytest.raises(SettingsError) as refusal:
        read(Mail)

    assert str(refusal.value) == message
    shown = "".join(traceback.format_exception(refusal.value))
    assert not any(secret in shown for secret in ("secret-a", "secret-b", "12345678"))
