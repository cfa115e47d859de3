"""Delivers into memory and the log."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

import structlog

from self_service_agent.channels.base import Receipt, Reply
from self_service_agent.kit.http.client import Client
from self_service_agent.shared_models.integrations import IntegrationType

from .config import Outcome, RecordingAddress, RecordingSettings
from .payload import read_receipt

_KEPT = 1000


class RecordingChannel:
    """Keeps the newest replies; an address may ask for a failure instead."""

    integration_type: ClassVar[IntegrationType] = IntegrationType.TEST

    def __init__(self) -> None:
        self._log = structlog.get_logger()
        self._replies: deque[Reply] = deque(maxlen=_KEPT)

    @classmethod
    @asynccontextmanager
    async def open(cls, _settings: RecordingSettings, _http: Client) -> AsyncIterator[Self]:
        """Yield a channel that has recorded nothing yet."""
        yield cls()

    @property
    def replies(self) -> tuple[Reply, ...]:
        """The replies that were delivered, newest last."""
        return tuple(self._replies)

    async def deliver(self, reply: Reply, address: RecordingAddress) -> Receipt:
        """Record `reply`, or raise the `DeliveryError` that the address asks for."""
        if address.outcome in {Outcome.DELIVERED, Outcome.UNKNOWN}:
            self._replies.append(reply)
        self._log.info("testing.received", delivery_id=reply.delivery_id, outcome=address.outcome)
        return read_receipt(reply, address.outcome)
