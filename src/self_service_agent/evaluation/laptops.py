"""What a laptop's age means, computed once more and independently of the product, to compare its answers with."""

import calendar
from collections.abc import Iterator, Mapping
from datetime import date

from self_service_agent.doubles.servicenow.employees import MockEmployee, MockLaptop


def months_old(bought: date, today: date) -> int:
    """Return the whole months between two days; the last day of a shorter month completes one."""
    months = (today.year - bought.year) * 12 + today.month - bought.month
    return months if today >= _same_day(bought, months) else months - 1


def due_on(bought: date, months: int) -> date:
    """Return the day, so many months later."""
    return _same_day(bought, months)


def is_due(laptop: MockLaptop, today: date, limits: Mapping[str, int]) -> bool:
    """Say whether the policy replaces a laptop."""
    return months_old(laptop.purchase_date(today), today) >= limits[laptop.laptop_class]


def derived_facts(person: MockEmployee, today: date, limits: Mapping[str, int]) -> Iterator[str]:
    """Yield what may be said about a person's laptops beside what the records say: age, limit and due date."""
    for laptop in person.laptops:
        bought = laptop.purchase_date(today)
        yield f"{months_old(bought, today)} {limits[laptop.laptop_class]}"
        yield due_on(bought, limits[laptop.laptop_class]).isoformat()
        yield bought.isoformat()


def _same_day(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
