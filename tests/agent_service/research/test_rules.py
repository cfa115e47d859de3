"""How a question is asked in several ways, and which numbers of the sources stand side by side."""

import pytest

from self_service_agent.agent_service.research.rules import Fact, facts_in, questions_of, side_by_side, verdict_of


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        pytest.param("vpn", ("vpn",), id="one word is asked once"),
        pytest.param(
            "How old must my laptop be and who approves an exception?",
            (
                "How old must my laptop be and who approves an exception?",
                "How old must my laptop be",
                "who approves an exception",
            ),
            id="each part by itself",
        ),
        pytest.param("   ", (), id="nothing"),
    ],
)
def test_a_question_is_asked_in_several_ways(text, asked):
    ways = questions_of(text)

    assert ways == asked


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("after 3 years", [("year", "3")]),
        ("Three years, or two for a fast one; 3 years", [("year", "3")]),
        ("within 5 working days", [("working day", "5")]),
        ("at least 14 characters, 90% of them", [("character", "14"), ("percent", "90")]),
        ("a 3-year period", [("year", "3")]),
        ("error 809 means nothing", []),
        ("version 1.2 days", [("day", "1.2")]),
    ],
)
def test_numbers_are_found_with_what_they_count(text, facts):
    assert [(fact.measure, fact.value) for fact in facts_in(text)] == facts


def test_sources_agree_differ_or_stand_alone():
    rows = side_by_side(["after 3 years", "every three years, in 5 working days", "after 2 weeks", "after 3 weeks"])

    assert [(row.fact, row.sources, verdict_of(row, rows)) for row in rows] == [
        (Fact(measure="week", value="2"), (3,), "differs"),
        (Fact(measure="week", value="3"), (4,), "differs"),
        (Fact(measure="working day", value="5"), (2,), "one source"),
        (Fact(measure="year", value="3"), (1, 2), "agrees"),
    ]
