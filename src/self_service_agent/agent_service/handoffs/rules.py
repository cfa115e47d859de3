"""What a hand-off is: a conversation in the hands of a person, with what they should know."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

FOLLOW_UP_TYPES: Final = {"reply": "handoff.reply", "return": "handoff.returned", "close": "handoff.closed"}
QUEUE: Final = "help-desk"


class HandoffState(StrEnum):
    """Where a hand-off stands. The last two are final."""

    OPEN = "open"
    CLAIMED = "claimed"
    RETURNED = "returned"
    CLOSED = "closed"


class ActKind(StrEnum):
    """What a person does in a conversation: answer, give it back to the agent, or settle the matter."""

    REPLY = "reply"
    RETURN = "return"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHandoff:
    """A hand-off as a turn leaves it behind."""

    handoff_id: str
    session_id: str
    request_id: str
    user_id: str
    agent_id: str
    reason: str
    packet: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something a person does in a conversation that is theirs; its id is the request by which it is told."""

    request_id: str
    kind: ActKind
    author: str
    author_name: str
    content: str


def reason_of(packet: Mapping[str, Any]) -> str:
    """Return in a line why a person is wanted."""
    where = f" in {packet['flow']}" if packet.get("flow") else ""
    said = str(packet.get("last_message") or "").strip()
    return f"handed over{where}" + (f": {said[:300]}" if said else "")
