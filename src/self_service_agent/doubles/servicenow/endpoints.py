"""The mock's HTTP face."""

import asyncio
import secrets
from enum import StrEnum
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from self_service_agent.kit import clock

from . import tables
from .catalog import item_called
from .orders import MockOrder
from .query import Row, UnsupportedQuery, matching, read_query
from .state import CatalogError, MockState

_MOST_ROWS = 10_000


class Table(StrEnum):
    """The tables that can be read."""

    SYS_USER = "sys_user"
    COMPUTER = "cmdb_ci_computer"
    REQUEST_ITEM = "sc_req_item"
    REQUEST = "sc_request"
    JOURNAL = "sys_journal_field"


class OrderNow(BaseModel):
    """The body of an order; the catalog item itself says which variables it needs."""

    sysparm_quantity: Annotated[int, Field(ge=1)] = 1
    sysparm_requested_for: str = ""
    variables: dict[str, Any] = {}


class ItemChange(BaseModel):
    """The change of a ticket: writing on it."""

    comments: Annotated[str, Field(min_length=1)]


class TableQuery(BaseModel):
    """How a table is read; further `sysparm_` parameters are ignored."""

    sysparm_query: str = ""
    sysparm_fields: str = ""
    sysparm_limit: Annotated[int, Field(ge=0)] = _MOST_ROWS


class BrokenLine(Response):
    """An answer that promises more than it sends, so that the server closes the connection on it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI signature
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"result": {', "more_body": True})


def mock_of(request: Request) -> MockState:
    """Return the running mock's state."""
    state: MockState = request.app.state.mock
    return state


Mock = Annotated[MockState, Depends(mock_of)]


async def admit(mock: Mock, x_sn_apikey: Annotated[str, Header()] = "") -> None:
    """Let a caller with the right key in, then show the faults that are asked for."""
    wanted = mock.api_key.get_secret_value() if mock.api_key else ""
    if wanted and not secrets.compare_digest(x_sn_apikey.encode(), wanted.encode()):
        raise CatalogError(HTTPStatus.UNAUTHORIZED, "User Not Authenticated", "Required to provide Auth information")
    await asyncio.sleep(mock.faults.delay.total_seconds())
    if not mock.faults.takes("spare_next") and mock.faults.takes("fail_next"):
        raise CatalogError(mock.faults.status, "Unavailable", "the mock was asked to fail")


health = APIRouter()
api = APIRouter(dependencies=[Depends(admit)])


@health.get("/")
@health.get("/health")
async def read_health() -> dict[str, str]:
    """Tell that the mock runs."""
    return {
        "status": "OK",
        "service": "mock-servicenow",
        "version": version("self-service-agent"),
        "timestamp": clock.now().isoformat(),
    }


@api.post("/api/sn_sc/servicecatalog/items/{item_id}/order_now")
async def order_now(item_id: str, order: OrderNow, mock: Mock) -> Response:
    """Take an order, also one that was taken before: the real catalog does not recognise repetitions."""
    missing = item_called(item_id, mock.items).missing(order.variables)
    if not missing and not (order.sysparm_requested_for or order.variables.get("who_is_this_request_for")):
        missing = ["who_is_this_request_for"]
    if missing:
        detail = f"Mandatory Variables are required: {', '.join(missing)}"
        raise CatalogError(HTTPStatus.BAD_REQUEST, "Mandatory Variables are required", detail)
    if mock.faults.takes("cart_next"):
        return JSONResponse({"result": {"cart_id": secrets.token_hex(16)}})
    taken = await mock.book.record(
        item_id=item_id,
        quantity=order.sysparm_quantity,
        variables=order.variables,
        now=clock.now(),
        for_whom=order.sysparm_requested_for,
    )
    if mock.faults.takes("lose_next"):
        return BrokenLine()
    return JSONResponse({"result": _confirmation(taken)})


@api.get("/api/now/table/{table}")
async def read_table(table: Table, query: Annotated[TableQuery, Query()], mock: Mock) -> dict[str, Any]:
    """Return the rows that meet `sysparm_query`."""
    try:
        wanted = read_query(query.sysparm_query)
    except UnsupportedQuery as error:
        raise CatalogError(HTTPStatus.BAD_REQUEST, "Unsupported query", str(error)) from error
    rows = matching(_rows(table, mock), wanted)
    fields = [field for field in query.sysparm_fields.split(",") if field]
    return {"result": tables.shown(rows, fields=fields, limit=query.sysparm_limit)}


@api.patch("/api/now/table/sc_req_item/{sys_id}")
async def change_item(sys_id: str, change: ItemChange, mock: Mock) -> Response:
    """Write a comment on a ticket, also one that was written before."""
    rows = [row for row in _rows(Table.REQUEST_ITEM, mock) if row["sys_id"] == sys_id]
    if not rows:
        raise CatalogError(HTTPStatus.NOT_FOUND, "No Record found", "Record doesn't exist or ACL restricts the record")
    await mock.journal.record(element_id=sys_id, value=change.comments, now=clock.now())
    if mock.faults.takes("lose_next"):
        return BrokenLine()
    [changed] = tables.shown(rows, fields=(), limit=1)
    return JSONResponse({"result": changed})


def _rows(table: Table, mock: MockState) -> list[Row]:
    match table:
        case Table.SYS_USER:
            return tables.users(mock.people)
        case Table.COMPUTER:
            return tables.computers(mock.people, today=clock.now().date())
        case Table.REQUEST_ITEM:
            return tables.request_items(mock.book.orders, mock.people, mock.items)
        case Table.REQUEST:
            return tables.requests(mock.book.orders, mock.people)
        case Table.JOURNAL:
            return tables.journal(mock.journal.comments)


def _confirmation(order: MockOrder) -> dict[str, Any]:
    return {
        "sys_id": order.sys_id,
        "number": order.number,
        "request_id": order.sys_id,
        "request_number": order.number,
        "state": "requested",
        "stage": "requested",
        "opened_at": f"{order.opened_at:%Y-%m-%d %H:%M:%S}",
        "requested_for": order.requested_for,
        "variables": order.variables,
    }
