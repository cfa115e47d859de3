"""Makes settings that send to a mailbox on loopback."""

from typing import Any

from self_service_agent.channels.email.config import EmailSettings
from self_service_agent.doubles.mailbox import Mailbox


def some_settings(mailbox: Mailbox, **changes: Any) -> EmailSettings:
    values = {
        "smtp_host": mailbox.host,
        "smtp_port": mailbox.port,
        "smtp_use_tls": False,
        "smtp_username": "agent",
        "smtp_password": "s3cret-password",
        "from_email": "agent@help.example.com",
        "from_name": "Help Desk",
    }
    return EmailSettings(**{**values, **changes})
