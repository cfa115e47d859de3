"""Deciding by a signed link, without signing in: the link is the credential, for one person and one approval."""

from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qs

import asyncpg
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from self_service_agent.kit import clock
from self_service_agent.shared_models.approval_links import ApprovalLinks, InvalidLink, LinkBearer, LinkExpired
from self_service_agent.shared_models.audit.entries import ActorKind, AuditEntry, Outcome

from . import page
from .dependencies import ApprovalsService
from .rules import ApprovalState, Channel, Decider, Decision, may_decide
from .service import AlreadyDecided, ApprovalNotFound, Approvals, NotEntitled

router = APIRouter(prefix="/approvals", include_in_schema=False)

_COMMENT_LIMIT: Final = 2000
_FORM_LIMIT: Final = 65_536
_OUR_OWN: Final = frozenset({"same-origin", "none"})
_DONE: Final = {
    ApprovalState.GRANTED: ("Approved", "You approved this. The conversation goes on by itself."),
    ApprovalState.DENIED: ("Declined", "You declined this. Who asked is told."),
}


async def _links(request: Request) -> ApprovalLinks | None:
    links: ApprovalLinks | None = request.app.state.approval_links
    return links


Links = Annotated[ApprovalLinks | None, Depends(_links)]


@router.get("/{token}")
async def show(token: str, request: Request, *, approvals: ApprovalsService, links: Links) -> HTMLResponse:
    """Show what is to be decided; nothing changes, however often mail scanners follow the link."""
    found = await _found(token, approvals, links)
    if isinstance(found, HTMLResponse):
        return found
    approval, who = found
    if approval["state"] != ApprovalState.PENDING:
        return _already(AlreadyDecided(approval), HTTPStatus.OK)
    if not may_decide(who, requester_id=approval["user_id"], approvers=approval["approvers"]):
        return _not_yours(request, approval, who)
    return _html(page.question(dict(approval)))


@router.post("/{token}")
async def decide(token: str, request: Request, *, approvals: ApprovalsService, links: Links) -> HTMLResponse:
    """Decide. A page of another site cannot: it knows no link, and browsers say where a form comes from."""
    if request.headers.get("sec-fetch-site", "none") not in _OUR_OWN:
        return _notice("Not from here", "Open the link itself to decide.", status=HTTPStatus.FORBIDDEN)
    decision = _decision(await request.body())
    if decision is None:
        text = "Go back and use one of the two buttons."
        return _notice("Not understood", text, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    found = await _found(token, approvals, links)
    if isinstance(found, HTMLResponse):
        return found
    approval, who = found
    try:
        await approvals.decide(approval["approval_id"], decision, who=who)
    except NotEntitled:
        return _not_yours(request, approval, who)
    except AlreadyDecided as error:
        return _already(error, HTTPStatus.CONFLICT)
    title, text = _DONE[decision.state]
    return _notice(title, text, summary=approval["summary"])


async def _found(
    token: str, approvals: Approvals, links: ApprovalLinks | None
) -> tuple[asyncpg.Record, Decider] | HTMLResponse:
    try:
        bearer = _bearer(token, links)
    except LinkExpired:
        text = "The time of this link is over. Decide with the API or with ssa approvals, or ask for a new request."
        return _notice("Too late", text, status=HTTPStatus.GONE)
    except InvalidLink:
        return _notice("No such link", "This is not a link of ours, or not all of it.", status=HTTPStatus.NOT_FOUND)
    try:
        who = await approvals.known_decider(bearer.user_id, ())
        return await approvals.find(bearer.approval_id, who), who
    except ApprovalNotFound:
        text = "There is nothing to decide here any more, or not for you."
        return _notice("Nothing to decide", text, status=HTTPStatus.NOT_FOUND)


def _bearer(token: str, links: ApprovalLinks | None) -> LinkBearer:
    if links is None:
        raise InvalidLink("there are no links here")
    return links.read(token, now=clock.now())


def _decision(body: bytes) -> Decision | None:
    if len(body) > _FORM_LIMIT:
        return None
    try:
        form = parse_qs(body.decode(), strict_parsing=True, max_num_fields=10)
        state = ApprovalState(form["decision"][0])
    except (ValueError, KeyError):  # of decoding, of parsing, and of what no button says
        return None
    comment = form.get("comment", [""])[0].replace("\x00", "").strip()[:_COMMENT_LIMIT]
    return Decision(state=state, comment=comment or None, channel=Channel.LINK) if state in _DONE else None


def _already(error: AlreadyDecided, status: HTTPStatus) -> HTMLResponse:
    what = error.what
    return _notice("Decided", f"{what[:1].upper()}{what[1:]}.", summary=error.approval["summary"], status=status)


def _not_yours(request: Request, approval: asyncpg.Record, who: Decider) -> HTMLResponse:
    if (log := getattr(request.app.state, "audit_log", None)) is not None:
        log.record(_refusal(request, approval, who))
    text = "You are not among those who may decide this, or you asked for it yourself."
    return _notice("Not for you to decide", text, status=HTTPStatus.FORBIDDEN)


def _refusal(request: Request, approval: asyncpg.Record, who: Decider) -> AuditEntry:
    return AuditEntry(
        actor=who.user.user_id,
        actor_kind=ActorKind.PERSON,
        action="authorize",
        target=f"approval {approval['approval_id']}",
        outcome=Outcome.REFUSED,
        reason="the bearer of the link is not among those who may decide",
        address=request.client.host if request.client else None,
    )


def _notice(title: str, text: str, *, summary: str | None = None, status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    return _html(page.notice(title, text, summary=summary), status)


def _html(content: str, status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    return HTMLResponse(content, status_code=status, headers=dict(page.HEADERS))
