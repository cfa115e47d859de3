"""What all services of a process share: the database, its migrations, the notifier and the bus."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

import asyncpg
from fastapi import FastAPI

from self_service_agent.kit.database import (
    DATABASE_TROUBLE,
    Address,
    DatabaseSettings,
    Pool,
    Pools,
    open_pools,
    running_postgres,
)
from self_service_agent.kit.health import Health, health_of
from self_service_agent.kit.notifications import Notifier
from self_service_agent.kit.service import Service
from self_service_agent.shared_models import migrate
from self_service_agent.shared_models.events import SUBSCRIPTIONS

from .embedded import EmbeddedBus

_UNAVAILABLE = dict.fromkeys(
    (
        asyncpg.PostgresConnectionError,
        asyncpg.OperatorInterventionError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        ConnectionError,
        FileNotFoundError,  # the server's Unix socket, while the server is down
    ),
    HTTPStatus.SERVICE_UNAVAILABLE,
)


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The shared parts, open."""

    address: Address
    pools: Pools
    notifier: Notifier
    bus: EmbeddedBus
    health: Health


def platform_of(app: FastAPI) -> Platform:
    platform: Platform = app.state.platform
    return platform


def platform_service(settings: DatabaseSettings, home: Path) -> Service:
    """Return the service that every other one stands on; it comes first."""
    return Service(name="platform", open=_opener(settings, home), problems=_UNAVAILABLE)


def bus_service() -> Service:
    """Return the service that lets events flow; it comes last, when all consumers are there, and leaves first."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        async with platform_of(app).bus.running():
            yield

    return Service(name="bus", open=run)


def _opener(settings: DatabaseSettings, home: Path) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def open_platform(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            address = await stack.enter_async_context(running_postgres(settings, home))
            await migrate.upgrade(address)
            pools = await stack.enter_async_context(open_pools(address, size=settings.db_pool_size))
            notifier = Notifier()
            await stack.enter_async_context(notifier.running(address))
            bus = EmbeddedBus(pools, notifier, SUBSCRIPTIONS)
            health = health_of(app)
            health.checks["database"] = partial(_answers, pools.relaxed)
            app.state.platform = Platform(address=address, pools=pools, notifier=notifier, bus=bus, health=health)
            yield

    return open_platform


async def _answers(pool: Pool) -> bool:
    try:
        return bool(await pool.fetchval("SELECT true", timeout=2))
    except DATABASE_TROUBLE:
        return False
