"""Hands replies to the SMTP server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

import aiosmtplib

from self_service_agent.channels.base import Receipt, Reply, TransientDeliveryError, UnknownOutcomeError
from self_service_agent.kit.http.client import Client
from self_service_agent.shared_models.integrations import IntegrationType

from . import payload
from .body import one_line
from .config import EmailAddress, EmailSettings
from .connections import Connections, ServerUnavailable


class EmailChannel:
    """Delivers at least once: a repeated attempt carries the same Message-ID, by which mailboxes know a copy."""

    integration_type: ClassVar[IntegrationType] = IntegrationType.EMAIL

    def __init__(self, settings: EmailSettings, connections: Connections) -> None:
        self._settings = settings
        self._connections = connections

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: EmailSettings, _http: Client) -> AsyncIterator[Self]:
        """Yield a channel that connects when it first has something to send."""
        async with Connections.open(settings) as connections:
            yield cls(settings, connections)

    async def deliver(self, reply: Reply, address: EmailAddress) -> Receipt:
        """Send `reply` as a mail, or raise a `DeliveryError`."""
        settings = self._settings
        mail = payload.message(reply, address, sender=settings.from_email, sender_name=settings.from_name)
        try:
            answer = await self._send(mail, address.email_address)
        except ServerUnavailable as error:
            raise TransientDeliveryError(str(error)) from error
        except aiosmtplib.SMTPResponseException as error:
            raise payload.refusal(error.code, error.message) from error
        except aiosmtplib.SMTPException as error:
            raise TransientDeliveryError(f"the SMTP connection broke: {type(error).__name__}") from error
        return Receipt(external_id=payload.message_id(reply, sender=settings.from_email), detail={"answer": answer})

    async def _send(self, mail: bytes, recipient: str) -> str:
        async with self._connections.transaction() as connection:
            await connection.rcpt(recipient)
            try:
                answer = await connection.data(mail)
            except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as error:
                raise UnknownOutcomeError("the SMTP connection broke after the mail was sent") from error
        return one_line(answer.message)
