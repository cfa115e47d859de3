"""What the tools take and give."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from self_service_agent.connectors.servicenow.values import Comment, Employee, Laptop, LaptopClass, Ticket

EmployeeName = Annotated[str, Field(min_length=1, max_length=200, description="The requester's own full name")]
Justification = Annotated[str, Field(min_length=1, max_length=4000, description="Why a new laptop is needed")]
LaptopCode = Annotated[
    str, Field(min_length=1, max_length=200, description="The catalog's code of the chosen laptop, as offered")
]
IdempotencyKey = Annotated[
    str, Field(min_length=1, max_length=100, description="The same for every repetition of the same decision")
]
CatalogItem = Annotated[str, Field(min_length=1, max_length=64, description="The catalog item to order, by name")]
Variables = Annotated[dict[str, str], Field(max_length=20, description="The item's own variables")]
Reason = Annotated[str, Field(min_length=1, max_length=4000, description="Why this is needed")]
TicketNumber = Annotated[
    str, Field(min_length=1, max_length=40, description="The number of one of the requester's tickets")
]
CommentText = Annotated[str, Field(min_length=1, max_length=4000, description="What to write on the ticket")]


class LaptopRead(BaseModel):
    """A laptop; its age follows from the purchase date, its refresh period from the class."""

    model: str
    serial_number: str
    asset_tag: str
    laptop_class: LaptopClass
    purchase_date: date | None


class LaptopInfo(BaseModel):
    """A person and their laptops."""

    employee_name: str
    email: str
    region: str
    laptops: list[LaptopRead]


class OpenedTicket(BaseModel):
    """A ticket; `duplicate` says that it had been opened with the same key before."""

    request_number: str
    duplicate: bool


class FoundTicket(BaseModel):
    """The ticket with a key, or none."""

    request_number: str | None


class Profile(BaseModel):
    """The requester, as on record; without a manager on record the two fields are empty."""

    employee_name: str
    email: str
    login: str
    region: str
    manager_name: str
    manager_email: str


class TicketRead(BaseModel):
    """A ticket, without what was written on it."""

    number: str
    item_number: str
    title: str
    state: str
    opened_on: str


class TicketList(BaseModel):
    """The requester's tickets, the newest first."""

    tickets: list[TicketRead]


class CommentRead(BaseModel):
    """What was written on a ticket."""

    text: str
    written_at: str
    written_by: str


class TicketDetail(TicketRead):
    """A ticket and what was written on it, the newest first."""

    comments: list[CommentRead]


class CommentedTicket(BaseModel):
    """The ticket that a comment was written on; `duplicate` says that it had been with the same key before."""

    number: str
    duplicate: bool


class FoundComment(BaseModel):
    """The ticket that was commented with a key, or none."""

    number: str | None


class FailureKind(StrEnum):
    """What a failed call means: try later, never try again, or find out what happened first."""

    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"


class Failure(BaseModel):
    """Why a call failed, in the structured content of an error result."""

    kind: FailureKind
    message: str


def laptop_info(employee: Employee, laptops: tuple[Laptop, ...]) -> LaptopInfo:
    """Write a person and their laptops."""
    return LaptopInfo(
        employee_name=employee.name,
        email=employee.email,
        region=employee.location,
        laptops=[
            LaptopRead(
                model=laptop.model,
                serial_number=laptop.serial,
                asset_tag=laptop.asset_tag,
                laptop_class=laptop.laptop_class,
                purchase_date=laptop.purchase_date,
            )
            for laptop in laptops
        ],
    )


def profile(employee: Employee) -> Profile:
    """Write a person."""
    return Profile(
        employee_name=employee.name,
        email=employee.email,
        login=employee.login,
        region=employee.location,
        manager_name=employee.manager_name,
        manager_email=employee.manager_email,
    )


def ticket_read(ticket: Ticket) -> TicketRead:
    """Write a ticket."""
    return TicketRead(
        number=ticket.number,
        item_number=ticket.item_number,
        title=ticket.title,
        state=ticket.state,
        opened_on=ticket.opened_on,
    )


def ticket_detail(ticket: Ticket, comments: tuple[Comment, ...]) -> TicketDetail:
    """Write a ticket with what was written on it."""
    written = [CommentRead(text=each.text, written_at=each.written_at, written_by=each.written_by) for each in comments]
    return TicketDetail(**ticket_read(ticket).model_dump(), comments=written)
