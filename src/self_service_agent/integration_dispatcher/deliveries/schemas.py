"""What the delivery endpoints give."""

from datetime import datetime
from typing import Annotated, Any

import asyncpg
import orjson
from pydantic import BaseModel, BeforeValidator

from self_service_agent.integration_dispatcher.preferences.rules import masked, masked_address
from self_service_agent.shared_models.deliveries import DeliveryStatus
from self_service_agent.shared_models.integrations import IntegrationType

from .planning import Consideration


def _status(named: object) -> object:
    """Read any case, and the older word for delivered."""
    status = named.upper() if isinstance(named, str) else named
    return DeliveryStatus.DELIVERED if status == "SUCCESS" else status


StatusFilter = Annotated[DeliveryStatus, BeforeValidator(_status)]


class DeliveryRead(BaseModel):
    """One delivery, and where it stands."""

    id: int
    delivery_id: str
    request_id: str
    session_id: str
    user_id: str
    integration_type: IntegrationType
    priority: int
    agent_id: str | None
    subject: str | None
    content: str
    status: DeliveryStatus
    attempts: int
    max_attempts: int
    next_attempt_at: datetime | None
    first_attempt_at: datetime | None
    last_attempt_at: datetime | None
    delivered_at: datetime | None
    expires_at: datetime | None
    external_id: str | None
    error_message: str | None
    integration_metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class AttemptRead(BaseModel):
    """One attempt; `started` has not ended, or its worker has."""

    attempt: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    error_message: str | None
    retry_at: datetime | None


class ChannelExplained(BaseModel):
    """Whether a channel would be used: where it leads, or why not."""

    integration_type: IntegrationType
    would_be_used: bool
    reason: str | None
    address: dict[str, str] | None
    enabled: bool
    priority: int
    retry_count: int
    retry_delay_seconds: int


class Explanation(BaseModel):
    """Who gets an answer that names no channels: every channel that would be used, in this order."""

    user_id: str
    policy: str
    channels: list[ChannelExplained]


def shown_delivery(row: asyncpg.Record) -> DeliveryRead:
    metadata = masked(orjson.loads(row["integration_metadata"]))
    return DeliveryRead.model_validate({**row, "integration_metadata": metadata})


def shown_attempt(row: asyncpg.Record) -> AttemptRead:
    return AttemptRead.model_validate(dict(row))


def explained(considered: Consideration) -> ChannelExplained:
    config = considered.config
    return ChannelExplained(
        integration_type=considered.integration_type,
        would_be_used=considered.reason is None,
        reason=considered.reason,
        address=None if considered.address is None else masked_address(considered.address),
        enabled=config.enabled,
        priority=config.priority,
        retry_count=config.retry_count,
        retry_delay_seconds=config.retry_delay_seconds,
    )
