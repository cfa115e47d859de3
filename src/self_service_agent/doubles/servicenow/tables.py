"""The mock's tables, row by row in ServiceNow's field names; dotted fields are read through a reference."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from .catalog import CatalogItem, item_called
from .employees import MockEmployee, MockLaptop
from .journal import MockComment
from .orders import MockOrder
from .query import Row

_INSTALLED = "1"
_OPERATIONAL = "1"


def users(people: Sequence[MockEmployee]) -> list[Row]:
    """Return table `sys_user`."""
    return [
        {
            "sys_id": person.sys_id,
            "name": person.name,
            "email": person.email,
            "user_name": person.login,
            "location": {"display_value": person.region, "value": person.region},
            "active": str(person.active).lower(),
            **_manager(person, people),
        }
        for person in people
    ]


def computers(people: Iterable[MockEmployee], *, today: date) -> list[Row]:
    """Return table `cmdb_ci_computer`."""
    return [_computer(laptop, person, today) for person in people for laptop in person.laptops]


def request_items(
    orders: Iterable[MockOrder], people: Sequence[MockEmployee], items: Mapping[str, CatalogItem]
) -> list[Row]:
    """Return table `sc_req_item`."""
    return [
        _request_item(order, person_called(order.requested_for, people), item_called(order.item_id, items))
        for order in orders
    ]


def requests(orders: Iterable[MockOrder], people: Sequence[MockEmployee]) -> list[Row]:
    """Return table `sc_request`."""
    return [_request(order, person_called(order.requested_for, people)) for order in orders]


def journal(comments: Iterable[MockComment]) -> list[Row]:
    """Return table `sys_journal_field`."""
    return [
        {
            "sys_id": comment.sys_id,
            "name": "sc_req_item",
            "element": "comments",
            "element_id": comment.element_id,
            "value": comment.value,
            "sys_created_on": f"{comment.written_at:%Y-%m-%d %H:%M:%S}",
            "sys_created_by": "self-service-agent",
        }
        for comment in comments
    ]


def person_called(name: str, people: Iterable[MockEmployee]) -> MockEmployee | None:
    """Find a person by sys_id, login or e-mail address."""
    return next((person for person in people if name in (person.sys_id, person.login, person.email)), None)


def shown(rows: Iterable[Row], *, fields: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """Return the first rows with the fields asked for: by default all but dotted ones."""
    return [
        {field: row.get(field, "") for field in fields or [name for name in row if "." not in name]}
        for _, row in zip(range(limit), rows, strict=False)
    ]


def _computer(laptop: MockLaptop, person: MockEmployee, today: date) -> Row:
    return {
        "sys_id": f"ci-{laptop.asset_tag}",
        "name": f"{person.login}-{laptop.asset_tag}",
        "asset_tag": laptop.asset_tag,
        "serial_number": laptop.serial_number,
        "model_id": {"display_value": laptop.model, "value": laptop.model},
        "u_laptop_class": laptop.laptop_class,
        "assigned_to": {"display_value": person.name, "value": person.sys_id},
        "assigned_to.email": person.email,
        "purchase_date": laptop.purchase_date(today).isoformat(),
        "warranty_expiration": laptop.warranty_expiration(today).isoformat(),
        "install_status": _INSTALLED,
        "operational_status": _OPERATIONAL,
    }


def _manager(person: MockEmployee, people: Iterable[MockEmployee]) -> Row:
    manager = person_called(person.manager or "", people)
    if manager is None:
        return {"manager": "", "manager.email": ""}
    return {"manager": {"display_value": manager.name, "value": manager.sys_id}, "manager.email": manager.email}


def _request_item(order: MockOrder, person: MockEmployee | None, item: CatalogItem) -> Row:
    return {
        "sys_id": f"item-{order.sys_id}",
        "number": order.item_number,
        "request": {"display_value": order.number, "value": order.sys_id},
        "request.number": order.number,
        "cat_item": {"display_value": item.name, "value": order.item_id},
        "correlation_id": order.correlation_id,
        **_requester(order, person),
        "quantity": str(order.quantity),
        "state": {"display_value": "Open", "value": "1"},
        "stage": "requested",
        "opened_at": f"{order.opened_at:%Y-%m-%d %H:%M:%S}",
    }


def _request(order: MockOrder, person: MockEmployee | None) -> Row:
    return {
        "sys_id": order.sys_id,
        "number": order.number,
        **_requester(order, person),
        "request_state": {"display_value": "Requested", "value": "requested"},
        "opened_at": f"{order.opened_at:%Y-%m-%d %H:%M:%S}",
    }


def _requester(order: MockOrder, person: MockEmployee | None) -> Row:
    return {
        "requested_for": {
            "display_value": person.name if person else order.requested_for,
            "value": person.sys_id if person else order.requested_for,
        },
        "requested_for.email": person.email if person else order.requested_for,
    }
