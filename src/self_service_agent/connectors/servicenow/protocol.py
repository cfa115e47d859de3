"""ServiceNow's requests and answers in our words: people, their laptops, and orders."""

import json
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus

from pydantic import BaseModel, Field, ValidationError

from .tables import BUSY, Query, Rows, Shown, Stored, checked_email, checked_key, detail, read_rows, same, table
from .values import (
    Employee,
    Laptop,
    LaptopClass,
    NotOrdered,
    Order,
    OutcomeUnknown,
    Refused,
    Unavailable,
    UnknownEmployee,
)

_MOST_LAPTOPS = 20


def employee_of(email: str) -> Query:
    """Ask for a person; two rows are enough to see that the address is ambiguous."""
    return table("sys_user", [f"email={checked_email(email)}"], fields=_UserRow, limit=2)


def laptops_of(email: str) -> Query:
    """Ask for the laptops assigned to a person."""
    conditions = [f"assigned_to.email={checked_email(email)}"]
    return table("cmdb_ci_computer", conditions, fields=_ComputerRow, limit=_MOST_LAPTOPS)


def order_with(key: str, *, email: str) -> Query:
    """Ask for the order that carries `key` and is for the person with `email`."""
    conditions = [f"correlation_id={checked_key(key)}", f"requested_for.email={checked_email(email)}"]
    return table("sc_req_item", conditions, fields=_ItemRow, limit=1)


def order_path(item_id: str) -> str:
    """Return where an item of the catalog is ordered."""
    return f"/api/sn_sc/servicecatalog/items/{item_id}/order_now"


def order(employee: Employee, *, code: str, justification: str, key: str) -> bytes:
    """Write an order. `correlation_id` is a hidden variable of the catalog item, copied to the item's own field."""
    variables = {
        "laptop_choices": code,
        "who_is_this_request_for": employee.sys_id,
        "business_justification": justification,
        "correlation_id": checked_key(key),
    }
    return json.dumps({"sysparm_quantity": 1, "variables": variables}).encode()


def item_order(employee: Employee, variables: Mapping[str, str], *, justification: str, key: str) -> bytes:
    """Write an order of any catalog item; its own variables are `variables`."""
    common = {"business_justification": justification, "correlation_id": checked_key(key)}
    order = {
        "sysparm_quantity": 1,
        "sysparm_requested_for": employee.sys_id,
        "variables": {**variables, **common},
    }
    return json.dumps(order).encode()


def read_employee(status: int, content: bytes, *, email: str) -> Employee:
    """Return the one person with `email`, or raise."""
    rows = [row for row in read_rows(status, content, Rows[_UserRow]) if same(row.email, email)]
    if len(rows) != 1:
        raise UnknownEmployee(f"{len(rows)} people have this e-mail address")
    row = rows[0]
    return Employee(
        sys_id=row.sys_id,
        name=row.name,
        email=row.email,
        login=row.user_name,
        location=row.location,
        active=row.active == "true",
        manager_name=row.manager,
        manager_email=row.manager_email,
    )


def read_laptops(status: int, content: bytes, *, email: str) -> tuple[Laptop, ...]:
    """Return the laptops that the answer holds for the person with `email`."""
    rows = read_rows(status, content, Rows[_ComputerRow])
    return tuple(_laptop(row) for row in rows if same(row.assigned_to_email, email))


def read_found_order(status: int, content: bytes, *, key: str) -> Order | None:
    """Return the order that carries `key`, if the answer holds it."""
    rows = read_rows(status, content, Rows[_ItemRow])
    return next((Order(number=row.request, key=key) for row in rows if row.correlation_id == key), None)


def read_placed_order(status: int, content: bytes, *, key: str) -> Order:
    """Return the order just placed, or raise what its absence means."""
    if status in BUSY:
        raise Unavailable(f"http {status}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise OutcomeUnknown(f"http {status}")
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(detail(status, content))
    try:
        answer = _OrderAnswer.model_validate_json(content)
    except ValidationError as error:
        raise OutcomeUnknown("the answer cannot be read") from error
    if not answer.result.request_number:
        raise NotOrdered("the catalog answered without a request number")
    return Order(number=answer.result.request_number, key=key)


class _UserRow(BaseModel):
    sys_id: Stored
    name: Shown
    email: Stored
    user_name: Stored
    location: Shown
    active: Stored
    manager: Shown = ""
    manager_email: Stored = Field(default="", alias="manager.email")


class _ComputerRow(BaseModel):
    serial_number: Stored
    asset_tag: Stored
    model_id: Shown
    laptop_class: Stored = Field(alias="u_laptop_class")
    purchase_date: Stored
    assigned_to_email: Stored = Field(alias="assigned_to.email")


class _ItemRow(BaseModel):
    request: Shown
    correlation_id: Stored


class _Placed(BaseModel):
    request_number: str | None = None


class _OrderAnswer(BaseModel):
    result: _Placed


def _laptop(row: _ComputerRow) -> Laptop:
    return Laptop(
        serial=row.serial_number,
        asset_tag=row.asset_tag,
        model=row.model_id,
        laptop_class=_laptop_class(row.laptop_class),
        purchase_date=_day(row.purchase_date),
    )


def _laptop_class(text: str) -> LaptopClass:
    match text:
        case "high_performance":
            return "high_performance"
        case "standard" | "":  # the field is blank unless somebody made a machine special
            return "standard"
        case _:
            raise Refused(f"unknown laptop class {text!r}")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refused("a purchase date cannot be read") from error
