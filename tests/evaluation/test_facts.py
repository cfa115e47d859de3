"""What counts as a fact, and where it may come from."""

from datetime import date

import pytest

from self_service_agent.evaluation.facts import facts_in, ungrounded
from self_service_agent.evaluation.laptops import due_on, months_old


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Ticket REQ0010001 is open for the Lenovo ThinkPad T14.", {"req0010001", "thinkpad", "t14"}),
        ("It is due on 2026-07-21, after 36 months.", {"2026-07-21", "36"}),
        ("na-std-14: 14 inch, 1.3 kg", {"na-std-14", "14", "1.3"}),
        ("Write to ada.abel@company.com.", {"ada.abel@company.com"}),
        ("1. Try again\n2. Talk to a person", set()),
        ("That costs 1,299.00 euros", {"1,299.00"}),
        ("Nothing was ordered.", set()),
    ],
)
def test_facts_of_a_text(text, facts):
    assert facts_in(text) == facts


def test_what_a_source_says_is_grounded():
    assert ungrounded("It has 32 GB and costs 99", ["14 inch, 32 GB"]) == {"99"}


def test_a_number_is_not_grounded_by_a_longer_one():
    assert ungrounded("It takes 3 days", ["It takes 36 months"]) == {"3"}


@pytest.mark.parametrize(
    ("bought", "today", "months"),
    [
        (date(2023, 11, 21), date(2026, 11, 21), 36),
        (date(2023, 11, 22), date(2026, 11, 21), 35),
        (date(2024, 2, 29), date(2027, 2, 28), 36),
        (date(2024, 2, 29), date(2027, 2, 27), 35),
        (date(2024, 8, 31), date(2024, 9, 30), 1),
    ],
)
def test_whole_months(bought, today, months):
    assert months_old(bought, today) == months


def test_due_dates_end_with_their_month():
    assert due_on(date(2024, 2, 29), 36) == date(2027, 2, 28)
