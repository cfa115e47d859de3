"""What we read from ServiceNow and write to it, and how it can fail."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

LaptopClass = Literal["standard", "high_performance"]


class ServiceNowError(Exception):
    """ServiceNow did not do what was asked; the subclass says what that means."""


class Unavailable(ServiceNowError):
    """Nothing was done; the same call may succeed later."""


class Refused(ServiceNowError):
    """Nothing was done, and nothing will be for the same call."""


class UnknownEmployee(Refused):
    """Nobody, or more than one person, has this e-mail address."""


class NotOrdered(Refused):
    """The catalog answered without a request number: there is no order."""


class NoSuchTicket(Refused):
    """The person has no ticket with this number."""


class OutcomeUnknown(ServiceNowError):
    """The write was sent and its answer was lost: ask for it by its key before sending it again."""


@dataclass(frozen=True, kw_only=True)
class Employee:
    """A person on record."""

    sys_id: str
    name: str
    email: str
    login: str
    location: str
    active: bool
    manager_name: str = ""
    manager_email: str = ""


@dataclass(frozen=True, kw_only=True)
class Laptop:
    """A laptop assigned to somebody; the date is None when nobody recorded it."""

    serial: str
    asset_tag: str
    model: str
    laptop_class: LaptopClass
    purchase_date: date | None


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order that the catalog has taken, and the key we gave it."""

    number: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """Something that a person asked for; `number` is the one that people are told."""

    sys_id: str
    number: str
    item_number: str
    title: str
    state: str
    opened_on: str


@dataclass(frozen=True, kw_only=True)
class Comment:
    """What somebody wrote on a ticket; `ticket_id` is the ticket's `sys_id`."""

    ticket_id: str
    text: str
    written_at: str
    written_by: str
