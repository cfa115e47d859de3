"""A reworded answer counts only if it says the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from self_service_agent.agent_service.wording.rules import objection

FRIENDLY = (
    "Good news! You are eligible: your standard laptop, the Latitude 7420 (asset DL7420001), dates from 14 March 2022, "
    "which makes it 56 months old, and the policy replaces it after 36 months."
)
DUE = (
    "Your standard laptop Latitude 7420 (asset DL7420001) was bought on 2022-03-14 and is 56 months old. The policy "
    "replaces it after 36 months, so you are eligible."
)
DONE = "Done: ticket REQ0010001 is open for the MacBook Air."
NOT_DUE = "Your laptop is 12 months old, so it is not due before 2027-03-14."
MONEY = "It costs $1,299 and takes 5 days. Ask ann.lee@example.com or see https://intranet.example/laptops."


@pytest.mark.parametrize(
    ("draft", "original"),
    [
        (FRIENDLY, DUE),
        ("All done: ticket REQ0010001 is open for your MacBook Air.", DONE),
        ("Your laptop is 12 months old, so it isn't due before March 14, 2027.", NOT_DUE),
        ("At $1299 and 5 days: ask ann.lee@example.com, https://intranet.example/laptops has more.", MONEY),
        (DUE, DUE),
    ],
)
def test_the_same_in_other_words_is_taken(draft, original):
    assert objection(draft, original) is None


@pytest.mark.parametrize(
    ("draft", "original"),
    [
        ("", DONE),
        ("  ", DONE),
        (DONE.replace("REQ0010001", "REQ0010002"), DONE),
        (DONE.replace("MacBook Air", "MacBook Pro"), DONE),
        ("Done: your ticket is open for the MacBook Air.", DONE),
        ("Ticket REQ0010001 is open.", DONE),
        (f"{DONE} It will be delivered soon.", DONE),
        (f"{DONE} Congratulations from Contoso!", DONE),
        (f"{DONE} You will have it in 3 days.", DONE),
        (f"{DONE} It is free.", DONE),
        (f"{DONE} Write to it@example.com.", DONE),
        (DUE.replace("56 months", "57 months"), DUE),
        (DUE.replace("36 months", "36 years"), DUE),
        (DUE.replace("2022-03-14", "2022-03-15"), DUE),
        (DUE.replace("so you are", "so you are not"), DUE),
        (DUE.replace("DL7420001", "DL7420002"), DUE),
        (NOT_DUE.replace("not due before", "due before"), NOT_DUE),
        (NOT_DUE.replace("not due before", "not due after"), NOT_DUE),
        (MONEY.replace("$", "€"), MONEY),
        (MONEY.replace("intranet.example", "evil.example"), MONEY),
        (MONEY.replace("ann.lee", "eve.lee"), MONEY),
        (MONEY + " bla" * 200, MONEY),
        (f"{DONE} Take AB0000\u0660.", DONE),
        (f"{DONE} Take \u0663 of them.", DONE),
        (f"{DONE} Say hello to \u0418\u0432\u0430\u043d.", DONE),
        (f"{DONE} Say hello to \u00c9ve.", DONE),
        ("I approved it.", "It waits for somebody."),
    ],
)
def test_anything_else_is_not(draft, original):
    assert objection(draft, original) is not None


@given(st.sampled_from([DUE, DONE, NOT_DUE, MONEY]), st.data())
def test_no_digit_can_be_changed_unseen(original, data):
    places = [match.start() for match in re.finditer(r"\d", original)]
    at = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([digit for digit in "123456789" if digit != original[at]]))

    assert objection(original[:at] + other + original[at + 1 :], original) is not None


@given(st.text(max_size=300))
def test_every_text_says_the_same_as_itself_unless_it_is_empty(text):
    assert (objection(text, text) is None) == bool(text.strip())


@given(st.text(max_size=300), st.text(max_size=100))
def test_any_draft_can_be_judged(draft, original):
    assert objection(draft, original) is None or objection(draft, original).startswith("it ")
