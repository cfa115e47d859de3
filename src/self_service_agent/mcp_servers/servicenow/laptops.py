"""The tools for laptops; the person is always the one whom the credential names."""

from .callers import DeskContext, desk_of, person_of
from .schemas import (
    EmployeeName,
    FoundTicket,
    IdempotencyKey,
    Justification,
    LaptopCode,
    LaptopInfo,
    OpenedTicket,
    laptop_info,
)


async def get_employee_laptop_info(context: DeskContext) -> LaptopInfo:
    """Return the requester's name, region and laptops, with purchase date and class of each."""
    employee, laptops = await desk_of(context).laptops_of(person_of(context))
    return laptop_info(employee, laptops)


async def open_laptop_refresh_ticket(
    employee_name: EmployeeName,
    business_justification: Justification,
    servicenow_laptop_code: LaptopCode,
    *,
    idempotency_key: IdempotencyKey,
    context: DeskContext,
) -> OpenedTicket:
    """Order a new laptop for the requester, once per idempotency key."""
    order, duplicate = await desk_of(context).open_ticket(
        person_of(context),
        employee_name=employee_name,
        justification=business_justification,
        code=servicenow_laptop_code,
        key=idempotency_key,
    )
    return OpenedTicket(request_number=order.number, duplicate=duplicate)


async def find_laptop_refresh_ticket(idempotency_key: IdempotencyKey, context: DeskContext) -> FoundTicket:
    """Return the requester's ticket that was opened with this key, if there is one."""
    order = await desk_of(context).ticket_with(idempotency_key, email=person_of(context))
    return FoundTicket(request_number=order.number if order else None)
