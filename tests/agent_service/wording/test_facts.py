"""What counts as a fact of a text, however it is written."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from self_service_agent.agent_service.wording.facts import facts_of, names_of


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("nothing at all", set()),
        ("It is 36 months old.", {"number:36", "number:36 month"}),
        ("36 years", {"number:36", "number:36 year"}),
        ("thirty-six is 36", {"number:36", "number:30", "number:6"}),
        ("in three days", {"number:3"}),
        ("this one is fine", set()),
        ("about 15%", {"number:15", "number:15 percent"}),
        ("15 percent", {"number:15", "number:15 percent"}),
        ("16GB and 512 GB", {"number:16", "number:16 gb", "number:512", "number:512 gb"}),
        ("1,200 laptops", {"number:1200", "number:1200 laptop"}),
        ("007", {"number:7"}),
        ("2.50", {"number:2.5"}),
        ("on 2025-03-14", {"date:2025-03-14"}),
        ("on 14 March 2025", {"date:2025-03-14"}),
        ("on March 14th, 2025", {"date:2025-03-14"}),
        ("the 1st of Sept 2026", {"date:2026-09-01"}),
        ("on 14.03.2025", {"date:2025-03-14"}),
        ("on 2025-02-30", {"date:2025-02-30"}),
        ("$1,299.00", {"money:1299 usd"}),
        ("1299 dollars", {"money:1299 usd"}),
        ("1299 EUR", {"money:1299 eur"}),
        ("€ 1299", {"money:1299 eur"}),
        ("ticket REQ0010001", {"code:req0010001"}),
        ("asset DL7420001, model LAT-5450", {"code:dl7420001", "code:lat-5450"}),
        ("the APAC-EAST site", {"code:apac-east"}),
        ("Latitude 7420", {"number:7420"}),
        ("Ask Ann.Lee@Example.com.", {"email:ann.lee@example.com"}),
        ("see https://intranet.example/policy?x=1.", {"url:https://intranet.example/policy?x=1"}),
        ("www.example.com", {"url:www.example.com"}),
    ],
)
def test_the_facts_of_a_text(text, facts):
    assert facts_of(text) == facts


def test_names_are_the_words_with_a_capital():
    assert names_of("Ann's laptop is a MacBook Air, says bob@Example.com") == {"ann", "macbook", "air"}


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_a_day_is_the_same_fact_in_every_form(day):
    forms = (f"{day:%Y-%m-%d}", f"{day.day} {day:%B} {day.year}", f"{day:%b} {day.day}, {day.year}", f"{day:%d.%m.%Y}")

    assert {facts_of(f"due on {form}") for form in forms} == {frozenset({f"date:{day.isoformat()}"})}


@given(st.integers(0, 10**9))
def test_a_number_is_the_same_fact_with_commas_and_without(number):
    assert facts_of(f"there are {number:,}.") == facts_of(f"there are {number}.") == {f"number:{number}"}


@given(st.text(max_size=200))
def test_any_text_can_be_read(text):
    assert isinstance(facts_of(text), frozenset)
    assert isinstance(names_of(text), frozenset)


@given(st.from_regex(r"[A-Z]{2,4}\d{5,9}", fullmatch=True), st.sampled_from(["{}", "({})", "{}.", "'{}'", "is {}, ok"]))
def test_a_code_is_found_whatever_stands_around_it(code, around):
    assume(code[:3] not in {"EUR", "USD", "GBP", "CHF"})  # that would be a price

    assert f"code:{code.lower()}" in facts_of(around.format(code))
