"""The channels of this installation: a tuple of manifests, and those of them that are configured, opened."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from self_service_agent.channels import email, testing, webhook
from self_service_agent.channels.base import Channel, Manifest
from self_service_agent.kit.http.client import Client
from self_service_agent.shared_models.integrations import IntegrationConfig, IntegrationType

MANIFESTS: tuple[Manifest[Any], ...] = (email.MANIFEST, webhook.MANIFEST, testing.MANIFEST)


@dataclass(frozen=True, kw_only=True)
class OpenChannel:
    """A channel that is ready to deliver, and the manifest it was opened from."""

    manifest: Manifest[Any]
    channel: Channel[Any]
    repeatable: bool


@dataclass(frozen=True, kw_only=True)
class Channels:
    """What is installed, by its defaults as they hold here, and what of it is open."""

    installed: Mapping[IntegrationType, IntegrationConfig]
    opened: Mapping[IntegrationType, OpenChannel]


@asynccontextmanager
async def open_channels(client: Client, manifests: Sequence[Manifest[Any]] = MANIFESTS) -> AsyncIterator[Channels]:
    """Yield the channels; those whose settings are missing are installed but not open."""
    installed: dict[IntegrationType, IntegrationConfig] = {}
    opened: dict[IntegrationType, OpenChannel] = {}
    async with AsyncExitStack() as stack:
        for manifest in manifests:
            kind, settings = manifest.integration_type, manifest.read_settings()
            installed[kind] = manifest.defaults_with(settings)
            if settings is not None:
                channel = await stack.enter_async_context(manifest.open(settings, client))
                opened[kind] = OpenChannel(manifest=manifest, channel=channel, repeatable=manifest.repeatable)
        yield Channels(installed=installed, opened=opened)
