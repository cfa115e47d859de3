"""Where the answer to a follow-up goes, and its common form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from self_service_agent.request_manager.requests.rules import DELIVERABLE
from self_service_agent.shared_models.events import RequestFollowedUp
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import DeliveryChoice, DeliveryMode


def delivery_after(earlier: DeliveryChoice, integration_type: IntegrationType) -> DeliveryChoice:
    """Return where the answer goes: nobody waits for it, so it goes to channels, those of the earlier request first."""
    own = (integration_type,) if integration_type in DELIVERABLE else ()
    return DeliveryChoice(mode=DeliveryMode.CHANNELS, channels=earlier.channels or own)


def normalized_after(
    earlier: Mapping[str, Any], event: RequestFollowedUp, *, user_id: str, now: datetime
) -> dict[str, Any]:
    """Return the follow-up in its common form: as the earlier request was, but for what it says."""
    return {
        **earlier,
        "request_id": event.request_id,
        "session_id": event.session_id,
        "user_id": user_id,
        "request_type": event.request_type,
        "content": event.content,
        "integration_context": {**earlier["integration_context"], "follow_up": event.context},
        "target_agent_id": None,
        "requires_routing": True,
        "stream_to": None,
        "created_at": now,
    }
