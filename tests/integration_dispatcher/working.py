"""Runs delivery workers for as long as a test needs them."""

from contextlib import asynccontextmanager

from self_service_agent.integration_dispatcher.deliveries.worker import DeliveryWorkers
from self_service_agent.kit.notifications import Notifier
from tests.integration_dispatcher.builders import some_settings


@asynccontextmanager
async def working(pool, planning, **settings):
    """Yield the notifier that wakes a running worker."""
    notifier = Notifier()
    async with DeliveryWorkers(pool, notifier, planning, settings=some_settings(**settings)).running():
        yield notifier
