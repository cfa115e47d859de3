"""Gives every scenario a person of its own: a name, an address, and laptops as the scenario describes them."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import count

from self_service_agent.doubles.servicenow.employees import MockEmployee, MockLaptop

from .scenarios import LaptopSpec, Scenario

_FIRST_TEXT = "Ada Bela Cora Dora Edna Frida Gita Hana Ines Jana Kira Lena Mona Nora Olga Pia Rosa Sina Tara Ulla"
_LAST_TEXT = "Abel Boros Celik Duda Ekman Fiala Gallo Hahn Iyer Jansen Kovac Lund Meyer Novak Orlov Petit Quist Rossi"
MANAGER = "derek.nolan"
"""One of the mock's own people, who approves what managers approve."""

_FIRST, _LAST = tuple(_FIRST_TEXT.split()), tuple(_LAST_TEXT.split())


class DatedLaptop(MockLaptop):
    """A laptop with a day of purchase, or one some days after the month it is said to be old."""

    bought: date | None = None
    days_later: int = 0

    def purchase_date(self, today: date) -> date:
        """Return the day of purchase as seen from `today`."""
        return self.bought or super().purchase_date(today) + timedelta(days=self.days_later)


def people_for(scenarios: Iterable[Scenario]) -> dict[str, MockEmployee]:
    """Return the person of each scenario, by its id; the same scenarios give the same people."""
    return {scenario.id: _person(scenario, number) for number, scenario in zip(count(), scenarios, strict=False)}


def _person(scenario: Scenario, number: int) -> MockEmployee:
    first = _FIRST[number % len(_FIRST)]
    last = _LAST[number // len(_FIRST) % len(_LAST)]
    middle = _LAST[number // (len(_FIRST) * len(_LAST))].lower() if number >= len(_FIRST) * len(_LAST) else ""
    login = ".".join(filter(None, (first.lower(), middle, last.lower())))
    return MockEmployee(
        sys_id=hashlib.sha256(login.encode()).hexdigest()[:32],
        login=login,
        name=f"{first} {middle.title()} {last}".replace("  ", " "),
        email=f"{login}@company.com",
        region=scenario.person.region,
        active=scenario.person.active,
        manager=MANAGER if scenario.person.has_manager else None,
        laptops=tuple(_laptop(spec, number * 10 + place) for place, spec in enumerate(scenario.person.laptops)),
    )


def _laptop(spec: LaptopSpec, number: int) -> DatedLaptop:
    tag = f"EV{number:07d}"
    return DatedLaptop(
        asset_tag=tag,
        serial_number=f"SN-{tag}",
        model=spec.model,
        laptop_class=spec.laptop_class,
        purchased_months_ago=spec.months,
        days_later=spec.days_later,
        bought=spec.bought,
    )
