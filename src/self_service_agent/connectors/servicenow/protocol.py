"""ServiceNow's requests and answers in our words."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

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

# Conditions are joined by "^", so these forms are what keeps a value from adding one.
_EMAIL = re.compile(r"[^\s^=<>,;:\\\"@\x00-\x1f\x7f]+@[^\s^=<>,;:\\\"@\x00-\x1f\x7f]+")
# "javascript:" would make ServiceNow run the rest of a value.
_KEY = re.compile(r"(?!javascript:)[A-Za-z0-9._:-]{1,100}")
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_MOST_LAPTOPS = 20


@dataclass(frozen=True, kw_only=True)
class Query:
    """A read: the path and its parameters."""

    path: str
    params: Mapping[str, str]


def employee_of(email: str) -> Query:
    """Ask for a person; two rows are enough to see that the address is ambiguous."""
    return _table("sys_user", {"email": _email(email)}, fields=_UserRow, limit=2)


def laptops_of(email: str) -> Query:
    """Ask for the laptops assigned to a person."""
    return _table("cmdb_ci_computer", {"assigned_to.email": _email(email)}, fields=_ComputerRow, limit=_MOST_LAPTOPS)


def order_with(key: str, *, email: str) -> Query:
    """Ask for the order that carries `key` and is for the person with `email`."""
    conditions = {"correlation_id": _key(key), "requested_for.email": _email(email)}
    return _table("sc_req_item", conditions, fields=_ItemRow, limit=1)


def order_path(item_id: str) -> str:
    """Return where an item of the catalog is ordered."""
    return f"/api/sn_sc/servicecatalog/items/{item_id}/order_now"


def order(employee: Employee, *, code: str, justification: str, key: str) -> bytes:
    """Write an order. `correlation_id` is a hidden variable of the catalog item, copied to the item's own field."""
    variables = {
        "laptop_choices": code,
        "who_is_this_request_for": employee.sys_id,
        "business_justification": justification,
        "correlation_id": _key(key),
    }
    return json.dumps({"sysparm_quantity": 1, "variables": variables}).encode()


def read_employee(status: int, content: bytes, *, email: str) -> Employee:
    """Return the one person with `email`, or raise."""
    rows = [row for row in _read_rows(status, content, _Rows[_UserRow]) if _same(row.email, email)]
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
    )


def read_laptops(status: int, content: bytes, *, email: str) -> tuple[Laptop, ...]:
    """Return the laptops that the answer holds for the person with `email`."""
    rows = _read_rows(status, content, _Rows[_ComputerRow])
    return tuple(_laptop(row) for row in rows if _same(row.assigned_to_email, email))


def read_found_order(status: int, content: bytes, *, key: str) -> Order | None:
    """Return the order that carries `key`, if the answer holds it."""
    rows = _read_rows(status, content, _Rows[_ItemRow])
    return next((Order(number=row.request, key=key) for row in rows if row.correlation_id == key), None)


def read_placed_order(status: int, content: bytes, *, key: str) -> Order:
    """Return the order just placed, or raise what its absence means."""
    if status in _BUSY:
        raise Unavailable(f"http {status}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise OutcomeUnknown(f"http {status}")
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(_detail(status, content))
    try:
        answer = _OrderAnswer.model_validate_json(content)
    except ValidationError as error:
        raise OutcomeUnknown("the answer cannot be read") from error
    if not answer.result.request_number:
        raise NotOrdered("the catalog answered without a request number")
    return Order(number=answer.result.request_number, key=key)


def _shown(value: object) -> object:
    return value.get("display_value") or "" if isinstance(value, dict) else value


def _stored(value: object) -> object:
    return value.get("value") or "" if isinstance(value, dict) else value


# With `sysparm_display_value=all` every field is both: names are shown to people, the rest is compared or computed.
Shown = Annotated[str, BeforeValidator(_shown)]
Stored = Annotated[str, BeforeValidator(_stored)]


class _UserRow(BaseModel):
    sys_id: Stored
    name: Shown
    email: Stored
    user_name: Stored
    location: Shown
    active: Stored


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


RowT = TypeVar("RowT", bound=BaseModel)


class _Rows(BaseModel, Generic[RowT]):
    result: list[RowT]


def _table(name: str, conditions: Mapping[str, str], *, fields: type[BaseModel], limit: int) -> Query:
    columns = [field.alias or column for column, field in fields.model_fields.items()]
    params = {
        "sysparm_query": "^".join(f"{field}={value}" for field, value in conditions.items()),
        "sysparm_fields": ",".join(columns),
        "sysparm_display_value": "all",
        "sysparm_limit": str(limit),
    }
    return Query(path=f"/api/now/table/{name}", params=params)


def _email(text: str) -> str:
    return _checked(text, _EMAIL, "an e-mail address")


def _key(text: str) -> str:
    return _checked(text, _KEY, "an idempotency key")


def _checked(text: str, form: re.Pattern[str], meaning: str) -> str:
    if not form.fullmatch(text):
        raise Refused(f"not {meaning} that can be looked up")
    return text


def _same(left: str, right: str) -> bool:
    return left.casefold() == right.casefold()


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


def _read_rows(status: int, content: bytes, form: type[_Rows[RowT]]) -> list[RowT]:
    """Read a table's answer. Rows are checked by the callers: ServiceNow drops conditions that it does not know."""
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable(f"http {status}")
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(_detail(status, content))
    try:
        return form.model_validate_json(content).result
    except ValidationError as error:
        # A sleeping instance answers every call with a web page.
        raise Unavailable("the answer cannot be read") from error


def _detail(status: int, content: bytes) -> str:
    try:
        answer: Any = json.loads(content)
        return f"http {status}: {answer['error']['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"http {status}"
