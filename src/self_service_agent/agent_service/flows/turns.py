"""A turn: what goes in, what comes out, and what is gathered in between."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from self_service_agent.agent_service.definitions.models import AgentDefinition

ResponseType = Literal["message", "error", "tokens"]


ApprovalOutcome = Literal["granted", "denied", "expired", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class ApprovalDecision:
    """What became of a pending approval; never read from a message."""

    approval_id: str
    outcome: ApprovalOutcome
    summary: str = ""
    comment: str | None = None


@dataclass(frozen=True, kw_only=True)
class HandBack:
    """A person gives the conversation back to the agent, whose open matter may be settled by now."""

    by: str
    is_settled: bool


@dataclass(frozen=True, kw_only=True)
class TurnInput:
    """One request of one person, with the conversation as the last outcome left it.

    `pinned` is the definition that the last outcome's `pins` named, `kept` are those of all flows in progress by
    digest. A turn that carries an `approval` is the decision itself, and its content is not read.
    """

    request_id: str
    session_id: str
    user_id: str
    user_email: str | None
    user_login: str | None
    content: str
    integration_type: str
    target_agent_id: str | None
    now: datetime
    checkpoint: dict[str, Any] | None
    pinned: AgentDefinition | None = None
    kept: Mapping[str, AgentDefinition] = field(default_factory=dict)
    approval: ApprovalDecision | None = None
    hand_back: HandBack | None = None

    @property
    def is_message(self) -> bool:
        """Whether somebody said something, or something happened instead."""
        return self.approval is None and self.hand_back is None


@dataclass(frozen=True, kw_only=True)
class ApprovalRequest:
    """A decision that somebody else has to take before the flow goes on, within `hours` if the step says so."""

    approval_id: str
    action: str
    arguments_digest: str
    approvers: str
    summary: str
    hours: float | None
    agent_id: str
    definition_digest: str
    flow: str
    flow_instance_id: str


@dataclass(frozen=True, kw_only=True)
class TurnOutcome:
    """The answer, and everything to be stored with it.

    `pins` is the digest of the definition that the next turn needs as `pinned`; `next_agent_id` is who will hear
    the next message; `withdrawn` are approvals that nothing waits for any more; `handoff` is what a person who takes
    over should know; `took_back` says that the conversation is the agent's again.
    """

    content: str
    agent_id: str
    next_agent_id: str
    response_type: ResponseType
    envelope: dict[str, Any]
    requires_followup: bool
    followup_actions: list[str]
    checkpoint: dict[str, Any]
    closes_session: bool = False
    pins: str | None = None
    approval: ApprovalRequest | None = None
    withdrawn: frozenset[str] = frozenset()
    handoff: Mapping[str, Any] | None = None
    took_back: bool = False


@dataclass
class Transcript:
    """What a turn has said and done so far; `heard` is what tools answered, as text."""

    speaker: AgentDefinition
    replies: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    citations: list[dict[str, Any]] = field(default_factory=list)
    tool_calls: list[dict[str, str]] = field(default_factory=list)
    plan: list[dict[str, Any]] = field(default_factory=list)
    research: dict[str, Any] = field(default_factory=dict)
    engine: str = "rules"
    retrieval: str | None = None
    model: str | None = None
    understanding: str | None = None
    usage: dict[str, int] = field(default_factory=dict)
    degraded: str | None = None
    flags: list[str] = field(default_factory=list)
    response_type: ResponseType = "message"
    closes_session: bool = False
    approval: ApprovalRequest | None = None
    handoff: Mapping[str, Any] | None = None
