"""The people of the mock ServiceNow server and their laptops, whose ages never go stale."""

import calendar
from datetime import date
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

_WARRANTY_MONTHS = 36


class MockLaptop(BaseModel):
    """A laptop; its age is data, its dates follow from the day they are asked for."""

    model_config = ConfigDict(frozen=True)

    asset_tag: str
    serial_number: str
    model: str
    laptop_class: Literal["standard", "high_performance"]
    purchased_months_ago: int

    def purchase_date(self, today: date) -> date:
        """Return the day of purchase as seen from `today`."""
        return _shifted(today, -self.purchased_months_ago)

    def warranty_expiration(self, today: date) -> date:
        """Return the last day of the three years' warranty."""
        return _shifted(self.purchase_date(today), _WARRANTY_MONTHS)


class MockEmployee(BaseModel):
    """A person; in development `login` is also the person's API key. `manager` is a login."""

    model_config = ConfigDict(frozen=True)

    sys_id: str
    login: str
    name: str
    email: str
    region: Literal["NA", "EMEA", "APAC", "LATAM"]
    active: bool
    laptops: tuple[MockLaptop, ...]
    manager: str | None = None


def employees() -> tuple[MockEmployee, ...]:
    """Read everybody the mock knows, leavers included."""
    content = files(__package__).joinpath("employees.json").read_bytes()
    return TypeAdapter(tuple[MockEmployee, ...]).validate_json(content)


def _shifted(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
