"""Approvals as turns meet them: asked for by one, decided in another."""

from datetime import timedelta

from self_service_agent.agent_service.flows.turns import ApprovalDecision, ApprovalOutcome, ApprovalRequest
from self_service_agent.kit.database import Pool
from self_service_agent.shared_models.requests import NormalizedRequest

from . import repository
from .rules import FOLLOW_UP_TYPE, ApprovalPolicy, ApprovalState, NewApproval, approver_key, follow_up_id, names_behind


def new_approval(asked: ApprovalRequest, request: NormalizedRequest, policy: ApprovalPolicy) -> NewApproval:
    """Return the approval that a turn asks for."""
    key = approver_key(asked.approvers, policy.groups)
    context = request.user_context
    return NewApproval(
        approval_id=asked.approval_id,
        session_id=request.session_id,
        request_id=request.request_id,
        user_id=request.user_id,
        requester=context.get("email") or context.get("login") or request.user_id,
        agent_id=asked.agent_id,
        flow=asked.flow,
        flow_instance_id=asked.flow_instance_id,
        definition_digest=asked.definition_digest,
        action=asked.action,
        arguments_digest=asked.arguments_digest,
        summary=asked.summary,
        approvers=key,
        names=names_behind(key, policy.groups),
        lifetime=policy.lifetime if asked.hours is None else timedelta(hours=asked.hours),
    )


async def decision_in(pool: Pool, request: NormalizedRequest) -> tuple[ApprovalDecision, str] | None:
    """Return the decision that a request carries, and the digest of the definition that waits for it.

    What a request says about itself is not believed: its id is derived from the approval's, as nobody's outside can
    be, and what was decided is read where it is kept. A conversation that has ended is told that nothing is done.
    """
    named = request.integration_context.get("follow_up")
    approval_id = named.get("approval_id") if isinstance(named, dict) else None
    if request.request_type != FOLLOW_UP_TYPE or not isinstance(approval_id, str):
        return None
    row = await repository.find(pool, approval_id) if follow_up_id(approval_id) == request.request_id else None
    if row is None or row["state"] == ApprovalState.PENDING:
        return None
    outcome: ApprovalOutcome = row["state"] if row["is_open"] else "cancelled"
    decision = ApprovalDecision(
        approval_id=approval_id, outcome=outcome, summary=row["summary"], comment=row["comment"]
    )
    return decision, row["definition_digest"]
