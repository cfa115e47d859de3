"""Posts replies to webhook receivers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from self_service_agent.channels.base import (
    NoAddress,
    PermanentDeliveryError,
    Receipt,
    Reply,
    TransientDeliveryError,
    UnknownOutcomeError,
)
from self_service_agent.kit import clock
from self_service_agent.kit.http.client import Client, ConnectionFailed, EgressRefused, ResponseLost
from self_service_agent.shared_models.integrations import IntegrationType

from . import payload
from .config import WebhookAddress, WebhookSettings


class WebhookChannel:
    """Delivers at least once: the `webhook-id` of a repeated attempt is the delivery's, so a receiver can tell."""

    integration_type: ClassVar[IntegrationType] = IntegrationType.WEBHOOK

    def __init__(self, settings: WebhookSettings, http: Client) -> None:
        self._settings = settings
        self._http = http

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: WebhookSettings, http: Client) -> AsyncIterator[Self]:
        """Yield a channel that posts through `http`."""
        yield cls(settings, http)

    async def deliver(self, reply: Reply, address: WebhookAddress) -> Receipt:
        """Post `reply` to the address, or to the installation's own URL, or raise a `DeliveryError`."""
        url = address.url or self._settings.default_webhook_url
        if url is None:
            raise NoAddress("no webhook url is configured")
        content = payload.body(reply)
        headers = payload.headers(
            reply, address, content=content, secret=self._settings.webhook_secret, now=clock.now()
        )
        try:
            response = await self._http.post(url, headers=headers, content=content)
        except EgressRefused as error:
            raise PermanentDeliveryError(str(error)) from error
        except ConnectionFailed as error:
            raise TransientDeliveryError(str(error)) from error
        except ResponseLost as error:
            raise UnknownOutcomeError(str(error)) from error
        return payload.read_receipt(response.status, response.headers, now=clock.now())
