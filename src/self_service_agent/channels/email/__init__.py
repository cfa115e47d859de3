"""The e-mail channel: sends answers through the installation's SMTP server, in the thread they belong to."""

from self_service_agent.channels.base import Manifest
from self_service_agent.shared_models.integrations import IntegrationConfig, IntegrationType

from .channel import EmailChannel
from .config import EmailAddress, read_settings
from .payload import address_of, check_config

MANIFEST: Manifest[EmailAddress] = Manifest(
    integration_type=IntegrationType.EMAIL,
    defaults=IntegrationConfig(
        enabled=True,
        priority=2,
        retry_count=3,
        retry_delay_seconds=60,
        config={"format": "html", "include_agent_info": True},
    ),
    read_settings=read_settings,
    open=EmailChannel.open,
    address_of=address_of,
    check_config=check_config,
    repeatable=True,
)
