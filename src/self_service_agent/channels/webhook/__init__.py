"""The webhook channel: posts answers as signed JSON to a URL of the user's or the installation's choice."""

from self_service_agent.channels.base import Manifest
from self_service_agent.shared_models.integrations import IntegrationConfig, IntegrationType

from .channel import WebhookChannel
from .config import WebhookAddress, has_default_url, read_settings
from .payload import address_of, check_config

MANIFEST: Manifest[WebhookAddress] = Manifest(
    integration_type=IntegrationType.WEBHOOK,
    defaults=IntegrationConfig(enabled=False, priority=3, retry_count=1, retry_delay_seconds=30, config={}),
    read_settings=read_settings,
    switched_on_by=has_default_url,
    open=WebhookChannel.open,
    address_of=address_of,
    check_config=check_config,
    repeatable=True,
)
