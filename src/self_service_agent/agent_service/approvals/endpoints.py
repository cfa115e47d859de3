"""Approvals over HTTP: what waits for the caller's decision, and what they asked for themselves."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Final, Literal, Protocol

import asyncpg
from fastapi import APIRouter, Query

from self_service_agent.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor, encode_cursor
from self_service_agent.kit.problems import Problem

from .dependencies import ApprovalsService, CallingDecider
from .rules import ApprovalState, Channel, Decider, Decision, Position, may_decide
from .schemas import ApprovalPage, ApprovalRead, CancelBody, Cursor, DecisionBody
from .service import AlreadyDecided, ApprovalNotFound, NotEntitled

router = APIRouter(prefix="/api/v1/approvals", tags=["approvals"])

PROBLEMS: Final[Mapping[type[Exception], int]] = MappingProxyType(
    {ApprovalNotFound: HTTPStatus.NOT_FOUND, NotEntitled: HTTPStatus.FORBIDDEN}
)


class _Settle(Protocol):
    async def __call__(self, approval_id: str, decision: Decision, *, who: Decider) -> asyncpg.Record: ...


_LAST: Final = Position(created_at=datetime(9999, 1, 1, tzinfo=UTC), approval_id="z")


@router.get("")
async def read_approvals(  # one for each filter
    who: CallingDecider,
    approvals: ApprovalsService,
    *,
    role: Literal["approver", "requester"] = "approver",
    state: Annotated[list[ApprovalState] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> ApprovalPage:
    """Return approvals, newest first: as approver those to decide (pending ones unless `state` says otherwise)."""
    states = state or ([ApprovalState.PENDING] if role == "approver" else list(ApprovalState))
    walk = approvals.to_decide if role == "approver" else approvals.requested
    rows = await walk(who, states=list(dict.fromkeys(states)), after=_position(cursor), limit=limit + 1)
    more = len(rows) > limit
    shown = rows[:limit]
    last = Cursor(created_at=shown[-1]["created_at"], approval_id=shown[-1]["approval_id"]) if more else None
    return ApprovalPage(
        approvals=[read_of(row, who) for row in shown], next_cursor=None if last is None else encode_cursor(last)
    )


@router.get("/{approval_id}")
async def read_approval(approval_id: str, who: CallingDecider, approvals: ApprovalsService) -> ApprovalRead:
    """Return one, to who asked, to who may decide it, and to staff."""
    return read_of(await approvals.find(approval_id, who), who)


@router.post("/{approval_id}/decision")
async def decide_approval(
    approval_id: str, body: DecisionBody, *, who: CallingDecider, approvals: ApprovalsService
) -> ApprovalRead:
    """Grant or deny: the first decision counts, the same again is the same answer, and another one is 409."""
    state = ApprovalState.GRANTED if body.granted else ApprovalState.DENIED
    decision = Decision(state=state, comment=body.comment or None, channel=Channel.API)
    return await _settled(approvals.decide, approval_id, decision, who=who)


@router.post("/{approval_id}/cancel")
async def cancel_approval(
    approval_id: str, *, who: CallingDecider, approvals: ApprovalsService, body: CancelBody | None = None
) -> ApprovalRead:
    """Take a request for approval back: what waited for it stops."""
    comment = body.comment if body else None
    decision = Decision(state=ApprovalState.CANCELLED, comment=comment or None, channel=Channel.API)
    return await _settled(approvals.cancel, approval_id, decision, who=who)


def read_of(row: asyncpg.Record, who: Decider) -> ApprovalRead:
    """Return an approval as `who` sees it."""
    is_pending = row["state"] == ApprovalState.PENDING
    entitled = may_decide(who, requester_id=row["user_id"], approvers=row["approvers"])
    return ApprovalRead.model_validate({**row, "may_decide": is_pending and entitled})


async def _settled(settle: _Settle, approval_id: str, decision: Decision, *, who: Decider) -> ApprovalRead:
    try:
        return read_of(await settle(approval_id, decision, who=who), who)
    except AlreadyDecided as error:
        found = read_of(error.approval, who)
        extra = {"details": {"approval": found.model_dump(mode="json")}}
        raise Problem(HTTPStatus.CONFLICT, error.what, extra=extra) from error


def _position(cursor: str | None) -> Position:
    if cursor is None:
        return _LAST
    named = decode_cursor(cursor, Cursor)
    if "\x00" in named.approval_id or named.created_at.tzinfo is None:
        raise Problem(HTTPStatus.BAD_REQUEST, "The cursor is not one that this list gave out.")
    return Position(created_at=named.created_at, approval_id=named.approval_id)
