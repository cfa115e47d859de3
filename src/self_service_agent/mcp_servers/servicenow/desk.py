"""The help desk behind the tools: what it knows about a person's laptops, and one ticket per key."""

import asyncio
from weakref import WeakValueDictionary

from self_service_agent.connectors.servicenow.client import ServiceNow
from self_service_agent.connectors.servicenow.values import Employee, Laptop, Order, OutcomeUnknown, Unavailable

from . import rules


class Desk:
    """Acts for the person whose e-mail address each call names."""

    def __init__(self, servicenow: ServiceNow) -> None:
        self._servicenow = servicenow
        self._opening: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def laptops_of(self, email: str) -> tuple[Employee, tuple[Laptop, ...]]:
        """Return the person and their laptops."""
        employee = await self._active_employee(email)
        return employee, await self._servicenow.laptops_of(email)

    async def open_ticket(
        self, email: str, *, employee_name: str, justification: str, code: str, key: str
    ) -> tuple[Order, bool]:
        """Return the ticket with `key`, and whether it was there before.

        Raises `OutcomeUnknown` when an order was sent and cannot be found: the same call settles it later.
        """
        employee = await self._active_employee(email)
        rules.require_own_name(employee, employee_name)
        async with self._opening.setdefault(key, asyncio.Lock()):
            known = await self.ticket_with(key, email=email)
            if known:
                return known, True
            return await self._order(employee, justification=justification, code=code, key=key), False

    async def ticket_with(self, key: str, *, email: str) -> Order | None:
        """Return the person's ticket with `key`, if there is one."""
        return await self._servicenow.order_with(key, email=email)

    async def _order(self, employee: Employee, *, justification: str, code: str, key: str) -> Order:
        try:
            return await self._servicenow.order_laptop(employee, code=code, justification=justification, key=key)
        except OutcomeUnknown as error:
            found = await self._order_in_doubt(key, employee)
            if found is None:
                raise OutcomeUnknown("it is not known whether the order was taken") from error
            return found

    async def _order_in_doubt(self, key: str, employee: Employee) -> Order | None:
        try:
            return await self._servicenow.order_with(key, email=employee.email)
        except Unavailable:
            return None

    async def _active_employee(self, email: str) -> Employee:
        employee = await self._servicenow.employee_of(email)
        rules.require_active(employee)
        return employee
