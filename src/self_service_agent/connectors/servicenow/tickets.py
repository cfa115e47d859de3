"""Tickets and their comments: ServiceNow's requests and answers in our words."""

import json
import re
from http import HTTPStatus

from pydantic import BaseModel, Field

from .tables import (
    BUSY,
    Query,
    Rows,
    Shown,
    Stored,
    checked,
    checked_email,
    checked_key,
    detail,
    read_rows,
    same,
    table,
)
from .values import Comment, NoSuchTicket, OutcomeUnknown, Refused, Ticket, Unavailable

MOST_TICKETS = 50
_MOST_COMMENTS = 20
_NUMBER = re.compile(r"(?:REQ|RITM)\d{4,10}", re.IGNORECASE)
_ID = re.compile(r"(?!javascript:)[A-Za-z0-9-]{1,64}")
# ServiceNow renders what stands between [code] and [/code] as HTML.
_CODE = re.compile(r"\[(/?)code\]", re.IGNORECASE)
_REFERENCE = re.compile(r"\s*\[ref: [A-Za-z0-9._:-]{1,100}\]\s*$")


def tickets_of(email: str) -> Query:
    """Ask for a person's tickets, the newest first."""
    conditions = [f"requested_for.email={checked_email(email)}", "ORDERBYDESCopened_at"]
    return table("sc_req_item", conditions, fields=_TicketRow, limit=MOST_TICKETS)


def ticket_with(number: str, *, email: str) -> Query:
    """Ask for a person's ticket by its number, or by the number of its item."""
    plain = checked(number.strip().upper(), _NUMBER, "a ticket number")
    field = "number" if plain.startswith("RITM") else "request.number"
    conditions = [f"{field}={plain}", f"requested_for.email={checked_email(email)}"]
    return table("sc_req_item", conditions, fields=_TicketRow, limit=1)


def comments_on(ticket: Ticket) -> Query:
    """Ask for what was written on a ticket, the newest first."""
    conditions = ["element=comments", f"element_id={checked(ticket.sys_id, _ID, 'a ticket')}"]
    ordered = [*conditions, "ORDERBYDESCsys_created_on"]
    return table("sys_journal_field", ordered, fields=_CommentRow, limit=_MOST_COMMENTS)


def comments_with(key: str) -> Query:
    """Ask for the comments that carry `key`."""
    conditions = ["element=comments", f"valueLIKE{checked_key(key)}"]
    return table("sys_journal_field", conditions, fields=_CommentRow, limit=_MOST_COMMENTS)


def comment_path(ticket: Ticket) -> str:
    """Return where a ticket is changed."""
    return f"/api/now/table/sc_req_item/{checked(ticket.sys_id, _ID, 'a ticket')}"


def comment(text: str, *, key: str) -> bytes:
    """Write a comment. It ends with `key`, since ServiceNow does not recognise repetitions."""
    plain = _CODE.sub(r"(\1code)", text.strip())
    return json.dumps({"comments": f"{plain}\n[ref: {checked_key(key)}]"}).encode()


def read_tickets(status: int, content: bytes, *, email: str) -> tuple[Ticket, ...]:
    """Return the tickets that the answer holds for the person with `email`."""
    rows = read_rows(status, content, Rows[_TicketRow])
    return tuple(_ticket(row) for row in rows if same(row.requested_for_email, email))


def read_ticket(status: int, content: bytes, *, number: str, email: str) -> Ticket:
    """Return the person's ticket with this number, or raise `NoSuchTicket`."""
    wanted = number.strip().upper()
    for ticket in read_tickets(status, content, email=email):
        if wanted in {ticket.number, ticket.item_number}:
            return ticket
    raise NoSuchTicket(f"you have no ticket {wanted}")


def read_comments(status: int, content: bytes) -> tuple[Comment, ...]:
    """Return the comments that the answer holds, without the keys that we put at their ends."""
    rows = read_rows(status, content, Rows[_CommentRow])
    return tuple(_comment(row) for row in rows)


def read_comments_with(key: str, *, status: int, content: bytes) -> tuple[Comment, ...]:
    """Return those comments of the answer that carry `key`."""
    rows = read_rows(status, content, Rows[_CommentRow])
    return tuple(_comment(row) for row in rows if row.value.rstrip().endswith(f"[ref: {key}]"))


def read_commented(status: int, content: bytes) -> None:
    """Return if a comment was taken, or raise what the answer means."""
    if status in BUSY:
        raise Unavailable(f"http {status}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise OutcomeUnknown(f"http {status}")
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(detail(status, content))


class _TicketRow(BaseModel):
    sys_id: Stored
    number: Stored
    request: Shown
    cat_item: Shown
    state: Shown
    opened_at: Stored
    requested_for_email: Stored = Field(alias="requested_for.email")


class _CommentRow(BaseModel):
    element_id: Stored
    value: Stored
    sys_created_on: Stored
    sys_created_by: Stored


def _ticket(row: _TicketRow) -> Ticket:
    return Ticket(
        sys_id=row.sys_id,
        number=row.request or row.number,
        item_number=row.number,
        title=row.cat_item,
        state=row.state,
        opened_on=row.opened_at[:10],
    )


def _comment(row: _CommentRow) -> Comment:
    return Comment(
        ticket_id=row.element_id,
        text=_REFERENCE.sub("", row.value),
        written_at=row.sys_created_on,
        written_by=row.sys_created_by,
    )
