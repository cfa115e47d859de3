"""Makes valid people and replies; a test names only what matters to it."""

from datetime import UTC, datetime
from typing import Any

from self_service_agent.channels.base import Person, Reply

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def a_person(**changes: Any) -> Person:
    return Person(**{"user_id": "u-1", "login": "alice.johnson", "email": "alice@example.com", **changes})


def a_reply(**changes: Any) -> Reply:
    values = {
        "delivery_id": "0199a000-0000-7000-8000-000000000001",
        "request_id": "request-1",
        "session_id": "session-1",
        "person": a_person(),
        "agent_id": "laptop-refresh-agent",
        "subject": "Your laptop",
        "content": "Your new laptop is ordered.",
        "created_at": NOON,
    }
    return Reply(**{**values, **changes})
