"""What a development installation brings along: a ServiceNow, a mailbox, and keys that are the logins themselves."""

import os
import secrets
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from pydantic import SecretStr

from self_service_agent.channels import email
from self_service_agent.channels.base import Manifest
from self_service_agent.channels.email.config import EmailSettings
from self_service_agent.doubles.mailbox import Mailbox
from self_service_agent.doubles.openai import app as scripted_model
from self_service_agent.doubles.openai.script import shipped_script
from self_service_agent.doubles.servicenow.app import create_app
from self_service_agent.doubles.servicenow.employees import employees
from self_service_agent.doubles.servicenow.settings import MockServiceNowSettings
from self_service_agent.kit.service import Service
from self_service_agent.kit.service_tokens import SHORTEST_SECRET
from self_service_agent.kit.settings import SettingsError

SERVICENOW_PATH = "/mock-servicenow"
# Who decides what the shipped agents ask approvals for.
APPROVERS = {"it_management": ("john.doe@company.com", "web-admin@company.com")}
TOOL_KEYS = (("your-tool-api-key", "snow-integration"),)

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_REMEDY = "delete it, and the next start makes a new one"

router = APIRouter(prefix="/dev", tags=["development"])


def logins() -> list[tuple[str, str]]:
    """Return (login, e-mail) of everybody whose login is a key in development."""
    web = [(login, f"{login}@company.com") for login in ("web-test-user", "web-demo", "web-admin", "john.doe")]
    return web + [(person.login, person.email) for person in employees()]


def service_token_secret(home: Path) -> SecretStr:
    """Return this installation's secret, made at the first start and kept beside the data, readable to its owner.

    Raises `SettingsError` if the file holds none.
    """
    path = home / "service-token-secret"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _kept_secret(path)
    secret = secrets.token_urlsafe(48)
    with os.fdopen(handle, "w") as file:
        file.write(secret)
    return SecretStr(secret)


def _kept_secret(path: Path) -> SecretStr:
    try:
        if path.stat().st_mode & _OTHERS:
            path.chmod(0o600)
        secret = path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"{path} cannot be used: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not text; {_REMEDY}") from None  # the cause holds the secret
    if len(secret.encode()) < SHORTEST_SECRET:
        raise SettingsError(f"{path} holds fewer than {SHORTEST_SECRET} bytes; {_REMEDY}")
    return SecretStr(secret)


def mock_servicenow(home: Path, *, path: str) -> Service:
    """Return a ServiceNow at `path` that remembers its orders across restarts."""
    mock = create_app(MockServiceNowSettings(mock_servicenow_state_file=home / "mock-servicenow.jsonl"))

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        yield

    return Service(name="mock-servicenow", open=run, mounts={path: mock})


def mock_model() -> Service:
    """Return a language model that knows the conversation of the guides by heart."""
    model = scripted_model.create_app(shipped_script())

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        yield

    return Service(name="mock-model", open=run, mounts={"/": model})


def mailbox() -> Service:
    """Return a mail server that takes everything and shows it at /dev/mailbox."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        async with Mailbox.open() as opened:
            app.state.mailbox = opened
            yield

    return Service(name="mailbox", open=run, routers=(router,))


def email_to_mailbox(app: FastAPI) -> Manifest[Any]:
    """Return the e-mail channel as it sends to this process's own mailbox."""
    opened: Mailbox = app.state.mailbox
    settings = EmailSettings(
        smtp_host=opened.host, smtp_port=opened.port, smtp_use_tls=False, from_email="self-service@company.com"
    )
    return replace(email.MANIFEST, read_settings=lambda: settings)


@router.get("/mailbox")
async def read_mailbox(request: Request) -> list[dict[str, Any]]:
    """Return the mails that were sent, newest last."""
    opened: Mailbox = request.app.state.mailbox
    return [
        {
            "from": mail.sender,
            "to": list(mail.recipients),
            "subject": mail.subject,
            "message_id": mail.headers.get("Message-ID"),
            "text": mail.text,
            "html": mail.html,
            "arrived_at": mail.arrived_at,
        }
        for mail in opened.mails
    ]
