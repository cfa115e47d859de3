"""Decides which channels an answer goes to, and says of every other why it does not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from self_service_agent.channels.base import PermanentDeliveryError
from self_service_agent.integration_dispatcher.channels import OpenChannel
from self_service_agent.integration_dispatcher.preferences.defaults import Configs, by_priority
from self_service_agent.integration_dispatcher.preferences.rules import Override, Recipient, effective
from self_service_agent.kit import metrics
from self_service_agent.kit.ids import derived_id
from self_service_agent.shared_models.approval_links import ApprovalLinks
from self_service_agent.shared_models.deliveries import DeliveryStatus
from self_service_agent.shared_models.events import RequestCompleted
from self_service_agent.shared_models.integrations import IntegrationConfig, IntegrationType


@dataclass(frozen=True, kw_only=True)
class Consideration:
    """Whether one channel is used for one person: with which address, or for what reason not."""

    integration_type: IntegrationType
    config: IntegrationConfig
    address: BaseModel | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class PlannedDelivery:
    """A delivery as it is first stored."""

    delivery_id: str
    request_id: str
    session_id: str
    user_id: str
    integration_type: IntegrationType
    priority: int
    status: DeliveryStatus
    agent_id: str | None
    subject: str | None
    content: str
    integration_metadata: Mapping[str, Any]
    max_attempts: int
    retry_delay_seconds: int
    error_message: str | None
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Planning:
    """What is known before any answer arrives: the defaults, the open channels, and how long an answer is of use."""

    defaults: Configs
    opened: Mapping[IntegrationType, OpenChannel]
    expiry: timedelta
    links: ApprovalLinks | None = None
    link_lifetime: timedelta = timedelta(hours=24)

    def plan(self, event: RequestCompleted, recipient: Recipient, *, now: datetime) -> tuple[PlannedDelivery, ...]:
        """Return one delivery for each channel that was named, or that could have been meant, by priority."""
        origin = event.integration_context
        considered = self.consider_all(recipient, event.channels or self.defaults, origin=origin)
        planned = tuple(self._planned(event, each, now=now) for each in considered)
        for each in planned:
            if each.status is DeliveryStatus.SKIPPED:  # all others are counted as they are sent
                metrics.DELIVERIES[each.integration_type, each.status].inc()
        return planned

    def consider_all(
        self, recipient: Recipient, kinds: Iterable[IntegrationType], *, origin: Mapping[str, Any]
    ) -> tuple[Consideration, ...]:
        """Say of each of these channels whether it would be used, highest priority first."""
        configs = {kind: self.config(kind, recipient) for kind in kinds}
        return tuple(self.consider(recipient, kind, origin=origin) for kind in by_priority(configs))

    def consider(self, recipient: Recipient, kind: IntegrationType, *, origin: Mapping[str, Any]) -> Consideration:
        """Say whether this channel would be used for this person."""
        config = self.config(kind, recipient)
        reason = self._obstacle(kind, config, recipient.overrides.get(kind))
        if reason is not None:
            return Consideration(integration_type=kind, config=config, reason=reason)
        try:
            address = self.opened[kind].manifest.address_of(recipient.person, config.config, origin)
        except PermanentDeliveryError as error:
            return Consideration(integration_type=kind, config=config, reason=str(error))
        return Consideration(integration_type=kind, config=config, address=address)

    def config(self, kind: IntegrationType, recipient: Recipient) -> IntegrationConfig:
        """Return what holds for this person; a channel that is not ours is off."""
        unknown = IntegrationConfig(enabled=False, priority=1000, retry_count=0, retry_delay_seconds=0, config={})
        return effective(self.defaults.get(kind, unknown), recipient.overrides.get(kind))

    def _obstacle(self, kind: IntegrationType, config: IntegrationConfig, override: Override | None) -> str | None:
        if kind not in self.defaults:
            return f"{kind} is not a channel of this installation"
        if override is not None and override.enabled is False:
            return f"{kind} is switched off by the user"
        if kind not in self.opened:
            return f"{kind} is not configured here"
        return None if config.enabled else f"{kind} is off by default"

    def _planned(self, event: RequestCompleted, considered: Consideration, *, now: datetime) -> PlannedDelivery:
        response, kind = event.response, considered.integration_type
        subject = response.metadata.get("subject")
        return PlannedDelivery(
            delivery_id=derived_id(response.request_id, kind),
            request_id=response.request_id,
            session_id=response.session_id,
            user_id=response.user_id,
            integration_type=kind,
            priority=considered.config.priority,
            status=DeliveryStatus.PENDING if considered.reason is None else DeliveryStatus.SKIPPED,
            agent_id=response.agent_id,
            subject=subject if isinstance(subject, str) else None,
            content=response.content,
            integration_metadata={"origin": event.integration_context, "reply": response.metadata},
            max_attempts=1 + considered.config.retry_count,
            retry_delay_seconds=considered.config.retry_delay_seconds,
            error_message=considered.reason,
            expires_at=now + self.expiry,
        )
