"""The tools for anything else one can ask the help desk; the person is always the one whom the credential names."""

from .callers import DeskContext, desk_of, person_of
from .schemas import (
    CatalogItem,
    CommentedTicket,
    CommentText,
    FoundComment,
    FoundTicket,
    IdempotencyKey,
    OpenedTicket,
    Profile,
    Reason,
    TicketDetail,
    TicketList,
    TicketNumber,
    Variables,
    profile,
    ticket_detail,
    ticket_read,
)


async def get_my_profile(context: DeskContext) -> Profile:
    """Return the requester's name, region and manager, as on record."""
    return profile(await desk_of(context).person(person_of(context)))


async def open_service_request(
    catalog_item: CatalogItem,
    variables: Variables,
    justification: Reason,
    *,
    idempotency_key: IdempotencyKey,
    context: DeskContext,
) -> OpenedTicket:
    """Order an item of the service catalog for the requester, once per idempotency key."""
    order, duplicate = await desk_of(context).open_request(
        person_of(context), catalog_item, variables, justification=justification, key=idempotency_key
    )
    return OpenedTicket(request_number=order.number, duplicate=duplicate)


async def find_service_request(idempotency_key: IdempotencyKey, context: DeskContext) -> FoundTicket:
    """Return the requester's ticket that was opened with this key, if there is one."""
    order = await desk_of(context).ticket_with(idempotency_key, email=person_of(context))
    return FoundTicket(request_number=order.number if order else None)


async def list_my_tickets(context: DeskContext) -> TicketList:
    """Return the requester's tickets, the newest first."""
    tickets = await desk_of(context).tickets_of(person_of(context))
    return TicketList(tickets=[ticket_read(ticket) for ticket in tickets])


async def get_my_ticket(number: TicketNumber, context: DeskContext) -> TicketDetail:
    """Return one of the requester's tickets, with what was written on it."""
    ticket, comments = await desk_of(context).ticket(person_of(context), number)
    return ticket_detail(ticket, comments)


async def add_ticket_comment(
    number: TicketNumber, comment: CommentText, *, idempotency_key: IdempotencyKey, context: DeskContext
) -> CommentedTicket:
    """Write on one of the requester's tickets, once per idempotency key."""
    ticket, duplicate = await desk_of(context).comment(person_of(context), number, comment, key=idempotency_key)
    return CommentedTicket(number=ticket.number, duplicate=duplicate)


async def find_ticket_comment(idempotency_key: IdempotencyKey, context: DeskContext) -> FoundComment:
    """Return the requester's ticket that was commented with this key, if there is one."""
    ticket = await desk_of(context).commented_with(idempotency_key, email=person_of(context))
    return FoundComment(number=ticket.number if ticket else None)
