"""Approvals as they travel over HTTP."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from self_service_agent.shared_models.requests import Text

from .rules import ApprovalState, Channel

Comment = Annotated[Text, Field(max_length=2000)]


class DecisionBody(BaseModel):
    """A yes or a no, with what is to be said about it to who asked."""

    granted: bool
    comment: Comment | None = None


class CancelBody(BaseModel):
    comment: Comment | None = None


class ApprovalRead(BaseModel):
    """An approval. `requester` and `decider` are people as they are called; the ids are beside them."""

    approval_id: str
    state: ApprovalState
    summary: str
    action: str
    arguments_digest: str
    approvers: str
    user_id: str
    requester: str
    session_id: str
    request_id: str
    agent_id: str
    flow: str
    definition_digest: str
    created_at: datetime
    expires_at: datetime
    may_decide: bool
    decided_by: str | None
    decider: str | None
    decided_at: datetime | None
    comment: str | None
    channel: Channel | None


class ApprovalPage(BaseModel):
    """Approvals, newest first; `next_cursor` is null on the last page."""

    approvals: list[ApprovalRead]
    next_cursor: str | None


class Cursor(BaseModel):
    """Where a page ended."""

    created_at: datetime
    approval_id: str
