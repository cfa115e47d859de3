"""ServiceNow, as far as we use it: people and their laptops, orders, tickets and what is written on them."""

from collections.abc import Mapping

from pydantic import SecretStr

from self_service_agent.kit.http.client import Client, ConnectionFailed, EgressRefused, HttpError, Response

from . import protocol, tickets
from .config import ServiceNowSettings
from .tables import Query
from .values import Comment, Employee, Laptop, Order, OutcomeUnknown, Refused, Ticket, Unavailable


class ServiceNow:
    """Reads may be repeated at will; a write with an unknown outcome must be looked up by its key first."""

    def __init__(
        self,
        http: Client,
        *,
        base_url: str,
        api_key: SecretStr | None,
        api_key_header: str = "x-sn-apikey",
        laptop_refresh_id: str = "laptop-refresh",
        catalog_items: Mapping[str, str] | None = None,
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if api_key is not None:
            self._headers[api_key_header] = api_key.get_secret_value()
        self._laptop_refresh_id = laptop_refresh_id
        self._catalog_items = dict(catalog_items or {})

    @classmethod
    def configured(cls, http: Client, settings: ServiceNowSettings) -> "ServiceNow":
        """Return the client for the instance that the settings name."""
        return cls(
            http,
            base_url=str(settings.servicenow_instance_url),
            api_key=settings.servicenow_api_key,
            api_key_header=settings.servicenow_api_key_header,
            laptop_refresh_id=settings.servicenow_laptop_refresh_id,
            catalog_items=settings.servicenow_catalog_items,
        )

    async def employee_of(self, email: str) -> Employee:
        """Return the person with this address, or raise `UnknownEmployee`."""
        response = await self._read(protocol.employee_of(email))
        return protocol.read_employee(response.status, response.content, email=email)

    async def laptops_of(self, email: str) -> tuple[Laptop, ...]:
        """Return the laptops assigned to the person with this address."""
        response = await self._read(protocol.laptops_of(email))
        return protocol.read_laptops(response.status, response.content, email=email)

    async def order_with(self, key: str, *, email: str) -> Order | None:
        """Return the order that was placed with `key` for the person with this address, if there is one."""
        response = await self._read(protocol.order_with(key, email=email))
        return protocol.read_found_order(response.status, response.content, key=key)

    async def order_laptop(self, employee: Employee, *, code: str, justification: str, key: str) -> Order:
        """Order a laptop. ServiceNow does not recognise repetitions: ask `order_with` first."""
        content = protocol.order(employee, code=code, justification=justification, key=key)
        return await self._order(self._laptop_refresh_id, content, key=key)

    async def order_item(
        self, employee: Employee, item: str, variables: Mapping[str, str], *, justification: str, key: str
    ) -> Order:
        """Order an item of the catalog. ServiceNow does not recognise repetitions: ask `order_with` first."""
        content = protocol.item_order(employee, variables, justification=justification, key=key)
        return await self._order(self._catalog_items.get(item, item), content, key=key)

    async def tickets_of(self, email: str) -> tuple[Ticket, ...]:
        """Return the tickets of the person with this address, the newest first."""
        response = await self._read(tickets.tickets_of(email))
        return tickets.read_tickets(response.status, response.content, email=email)

    async def ticket_with(self, number: str, *, email: str) -> Ticket:
        """Return the person's ticket with this number, or raise `NoSuchTicket`."""
        response = await self._read(tickets.ticket_with(number, email=email))
        return tickets.read_ticket(response.status, response.content, number=number, email=email)

    async def comments_on(self, ticket: Ticket) -> tuple[Comment, ...]:
        """Return what was written on a ticket, the newest first."""
        response = await self._read(tickets.comments_on(ticket))
        return tickets.read_comments(response.status, response.content)

    async def comments_with(self, key: str) -> tuple[Comment, ...]:
        """Return the comments that were written with `key`, on whosever tickets."""
        response = await self._read(tickets.comments_with(key))
        return tickets.read_comments_with(key, status=response.status, content=response.content)

    async def comment(self, ticket: Ticket, text: str, *, key: str) -> None:
        """Write a comment. ServiceNow does not recognise repetitions: ask `comments_with` first."""
        response = await self._write("PATCH", tickets.comment_path(ticket), tickets.comment(text, key=key))
        tickets.read_commented(response.status, response.content)

    async def _order(self, item_id: str, content: bytes, *, key: str) -> Order:
        response = await self._write("POST", protocol.order_path(item_id), content)
        return protocol.read_placed_order(response.status, response.content, key=key)

    async def _write(self, method: str, path: str, content: bytes) -> Response:
        try:
            return await self._http.request(method, self._base_url + path, headers=self._headers, content=content)
        except EgressRefused as error:
            raise Refused("ServiceNow's address may not be called") from error
        except ConnectionFailed as error:
            raise Unavailable("ServiceNow is out of reach") from error
        except HttpError as error:
            raise OutcomeUnknown("the answer was lost") from error

    async def _read(self, query: Query) -> Response:
        try:
            return await self._http.get(self._base_url + query.path, headers=self._headers, params=query.params)
        except EgressRefused as error:
            raise Refused("ServiceNow's address may not be called") from error
        except HttpError as error:
            raise Unavailable("ServiceNow is out of reach") from error
