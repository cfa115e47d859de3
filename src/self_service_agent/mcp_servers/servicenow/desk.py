"""The help desk behind the tools: what it knows about a person, and one ticket or comment per key."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from weakref import WeakValueDictionary

from self_service_agent.connectors.servicenow.client import ServiceNow
from self_service_agent.connectors.servicenow.values import (
    Comment,
    Employee,
    Laptop,
    Order,
    OutcomeUnknown,
    Ticket,
    Unavailable,
)

from . import rules

DoneT = TypeVar("DoneT")


class Desk:
    """Acts for the person whose e-mail address each call names.

    What writes raises `OutcomeUnknown` when it was sent and cannot be found: the same call settles it later.
    """

    def __init__(self, servicenow: ServiceNow) -> None:
        self._servicenow = servicenow
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def person(self, email: str) -> Employee:
        """Return the person."""
        return await self._active_employee(email)

    async def laptops_of(self, email: str) -> tuple[Employee, tuple[Laptop, ...]]:
        """Return the person and their laptops."""
        employee = await self._active_employee(email)
        return employee, await self._servicenow.laptops_of(email)

    async def open_ticket(
        self, email: str, *, employee_name: str, justification: str, code: str, key: str
    ) -> tuple[Order, bool]:
        """Return the ticket for a new laptop with `key`, and whether it was there before."""
        employee = await self._active_employee(email)
        rules.require_own_name(employee, employee_name)
        return await self._once(
            key,
            find=lambda: self.ticket_with(key, email=email),
            act=lambda: self._servicenow.order_laptop(employee, code=code, justification=justification, key=key),
        )

    async def open_request(
        self, email: str, item: str, variables: Mapping[str, str], *, justification: str, key: str
    ) -> tuple[Order, bool]:
        """Return the ticket for a catalog item with `key`, and whether it was there before."""
        rules.require_item(item)
        rules.require_own_variables(variables)
        employee = await self._active_employee(email)
        return await self._once(
            key,
            find=lambda: self.ticket_with(key, email=email),
            act=lambda: self._servicenow.order_item(employee, item, variables, justification=justification, key=key),
        )

    async def ticket_with(self, key: str, *, email: str) -> Order | None:
        """Return the person's ticket that was opened with `key`, if there is one."""
        return await self._servicenow.order_with(key, email=email)

    async def tickets_of(self, email: str) -> tuple[Ticket, ...]:
        """Return the person's tickets, the newest first."""
        await self._active_employee(email)
        return await self._servicenow.tickets_of(email)

    async def ticket(self, email: str, number: str) -> tuple[Ticket, tuple[Comment, ...]]:
        """Return the person's ticket with this number and what was written on it, the newest first."""
        await self._active_employee(email)
        ticket = await self._servicenow.ticket_with(number, email=email)
        return ticket, await self._servicenow.comments_on(ticket)

    async def comment(self, email: str, number: str, text: str, *, key: str) -> tuple[Ticket, bool]:
        """Write on the person's ticket with this number; return it, and whether that was done before."""
        await self._active_employee(email)
        ticket = await self._servicenow.ticket_with(number, email=email)

        async def write() -> Ticket:
            await self._servicenow.comment(ticket, text, key=key)
            return ticket

        return await self._once(key, find=lambda: self.commented_with(key, email=email), act=write)

    async def commented_with(self, key: str, *, email: str) -> Ticket | None:
        """Return the person's ticket that was commented with `key`, if there is one."""
        comments = await self._servicenow.comments_with(key)
        if not comments:
            return None
        commented = {comment.ticket_id for comment in comments}
        return next((each for each in await self._servicenow.tickets_of(email) if each.sys_id in commented), None)

    async def _once(
        self, key: str, *, find: Callable[[], Awaitable[DoneT | None]], act: Callable[[], Awaitable[DoneT]]
    ) -> tuple[DoneT, bool]:
        """Return what was done with `key`, and whether it was before; after a lost answer, look whether it was."""
        async with self._writing.setdefault(key, asyncio.Lock()):
            if (known := await find()) is not None:
                return known, True
            try:
                return await act(), False
            except OutcomeUnknown as error:
                if (found := await _if_reachable(find)) is None:
                    raise OutcomeUnknown("it is not known whether this was done") from error
                return found, False

    async def _active_employee(self, email: str) -> Employee:
        employee = await self._servicenow.employee_of(email)
        rules.require_active(employee)
        return employee


async def _if_reachable(find: Callable[[], Awaitable[DoneT | None]]) -> DoneT | None:
    try:
        return await find()
    except Unavailable:
        return None
