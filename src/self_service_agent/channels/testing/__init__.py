"""The testing channel: delivers into memory and the log, and plays failures on request."""

from self_service_agent.channels.base import Manifest
from self_service_agent.shared_models.integrations import IntegrationConfig, IntegrationType

from .channel import RecordingChannel
from .config import RecordingAddress, read_settings
from .payload import address_of, check_config

MANIFEST: Manifest[RecordingAddress] = Manifest(
    integration_type=IntegrationType.TEST,
    defaults=IntegrationConfig(enabled=True, priority=5, retry_count=1, retry_delay_seconds=10, config={}),
    read_settings=read_settings,
    open=RecordingChannel.open,
    address_of=address_of,
    check_config=check_config,
    repeatable=True,
)
