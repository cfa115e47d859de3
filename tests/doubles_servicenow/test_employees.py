from datetime import date

import pytest

from self_service_agent.doubles.servicenow.employees import MockLaptop, employees


def a_laptop(months):
    return MockLaptop(
        asset_tag="A1", serial_number="S1", model="Any", laptop_class="standard", purchased_months_ago=months
    )


@pytest.mark.parametrize(
    ("today", "months", "bought"),
    [
        pytest.param(date(2026, 11, 20), 36, date(2023, 11, 20), id="exactly three years"),
        pytest.param(date(2026, 11, 20), 35, date(2023, 12, 20), id="one month short"),
        pytest.param(date(2028, 2, 29), 24, date(2026, 2, 28), id="a leap day"),
        pytest.param(date(2026, 1, 31), 2, date(2025, 11, 30), id="a shorter month"),
        pytest.param(date(2026, 12, 1), 0, date(2026, 12, 1), id="bought today"),
    ],
)
def test_a_purchase_keeps_its_age(today, months, bought):
    assert a_laptop(months).purchase_date(today) == bought


def test_a_warranty_lasts_three_years():
    assert a_laptop(40).warranty_expiration(date(2026, 11, 20)) == date(2026, 7, 20)


def test_alice_has_an_old_standard_laptop():
    alice = next(person for person in employees() if person.login == "alice.johnson")

    assert (alice.sys_id, alice.name, alice.email, alice.region) == (
        "1001",
        "Alice Johnson",
        "alice.johnson@company.com",
        "NA",
    )
    assert [(laptop.asset_tag, laptop.model, laptop.laptop_class) for laptop in alice.laptops] == [
        ("DL7420001", "Latitude 7420", "standard")
    ]
    assert alice.laptops[0].purchased_months_ago > 36


def test_the_people_cover_every_case_of_the_policy():
    people = employees()
    ages = {(laptop.laptop_class, laptop.purchased_months_ago) for person in people for laptop in person.laptops}

    assert {person.region for person in people} == {"NA", "EMEA", "APAC", "LATAM"}
    assert {("standard", 35), ("standard", 36), ("high_performance", 23), ("high_performance", 24)} <= ages
    assert any(not person.laptops for person in people)
    assert any(not person.active for person in people)
    assert any(len(person.laptops) > 1 for person in people)


def test_nobody_is_there_twice():
    people = employees()

    for names in zip(*((person.sys_id, person.login, person.email) for person in people), strict=True):
        assert len(set(names)) == len(people) >= 12
