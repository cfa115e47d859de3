"""What the tools take and give."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from self_service_agent.connectors.servicenow.values import Employee, Laptop, LaptopClass

EmployeeName = Annotated[str, Field(min_length=1, max_length=200, description="The requester's own full name")]
Justification = Annotated[str, Field(min_length=1, max_length=4000, description="Why a new laptop is needed")]
LaptopCode = Annotated[
    str, Field(min_length=1, max_length=200, description="The catalog's code of the chosen laptop, as offered")
]
IdempotencyKey = Annotated[
    str, Field(min_length=1, max_length=100, description="The same for every repetition of the same decision")
]


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
