"""The integration dispatcher, put together."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI

from self_service_agent.channels.base import Manifest
from self_service_agent.eventing.bus import Binding
from self_service_agent.eventing.platform import Platform, platform_of
from self_service_agent.kit.health import health_of
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service import Service
from self_service_agent.kit.settings import read
from self_service_agent.shared_models import events
from self_service_agent.shared_models.approval_links import ApprovalLinks
from self_service_agent.shared_models.events import ApprovalRequested, RequestCompleted
from self_service_agent.shared_models.integrations import IntegrationType

from .channels import MANIFESTS, Channels, open_channels
from .deliveries import endpoints as deliveries
from .deliveries.approvals import plan_approvals
from .deliveries.handlers import plan_deliveries
from .deliveries.planning import Planning
from .deliveries.service import Deliveries
from .deliveries.worker import DeliveryWorkers
from .preferences import endpoints as preferences
from .preferences.defaults import integration_defaults
from .preferences.repository import publish_defaults
from .preferences.service import Preferences
from .settings import DeliverySettings, read_default_changes


def integration_dispatcher(
    *,
    policy: EgressPolicy,
    email: Callable[[FastAPI], Manifest[Any]] | None = None,
    links: ApprovalLinks | None = None,
) -> Service:
    """Return the service; `email` replaces the e-mail channel by one that is known once the process runs.

    `links` makes those by which people decide approvals.
    """
    settings, changes = read(DeliverySettings), read_default_changes()

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        platform = platform_of(app)
        manifests = {manifest.integration_type: manifest for manifest in MANIFESTS}
        if email is not None:
            manifests[IntegrationType.EMAIL] = email(app)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(Client.open(policy=policy, user_agent="self-service-agent"))
            channels = await stack.enter_async_context(open_channels(client, tuple(manifests.values())))
            defaults = integration_defaults(channels.installed, changes)
            await publish_defaults(platform.pools.durable, defaults)
            planning = Planning(
                defaults=defaults,
                opened=channels.opened,
                expiry=settings.expiry,
                links=links,
                link_lifetime=settings.link_lifetime,
            )
            app.state.preferences = Preferences(platform.pools.durable, defaults)
            app.state.deliveries = Deliveries(platform.pools.durable, platform.notifier, planning)
            health_of(app).facts.append(partial(_facts, app, channels))
            _consume(platform, planning)
            workers = DeliveryWorkers(platform.pools.durable, platform.notifier, planning, settings=settings)
            await stack.enter_async_context(workers.running())
            yield

    return Service(
        name=events.INTEGRATION_DISPATCHER,
        open=run,
        routers=(*preferences.ROUTERS, *deliveries.ROUTERS),
        problems={**preferences.PROBLEMS, **deliveries.PROBLEMS},
    )


def _consume(platform: Platform, planning: Planning) -> None:
    handle = partial(plan_deliveries, planning=planning, notifier=platform.notifier)
    tell = partial(plan_approvals, planning=planning, notifier=platform.notifier)
    bindings = {
        events.REQUEST_COMPLETED: Binding(data=RequestCompleted, handle=handle),
        events.APPROVAL_REQUESTED: Binding(data=ApprovalRequested, handle=tell),
    }
    platform.bus.consume(events.INTEGRATION_DISPATCHER, bindings, durable=False)


async def _facts(app: FastAPI, channels: Channels) -> Mapping[str, Any]:
    connected = await health_of(app).checks["database"]()
    return {
        "database_connected": connected,
        "integrations_available": sorted(channels.opened),
        "services": {"database": connected, "integrations": dict.fromkeys(sorted(channels.opened), True)},
    }
