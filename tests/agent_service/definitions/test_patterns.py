"""Patterns of definitions: linear in time, in any language, and refused when they cannot be."""

import re

import pytest

from self_service_agent.agent_service.definitions.errors import DefinitionError
from self_service_agent.agent_service.definitions.models import Slot
from tests.agent_service.definitions.test_loader import BYE, an_agent, load


@pytest.mark.parametrize(
    ("pattern", "text", "value"),
    [
        pytest.param(r"\b(REQ|RITM)\d{4,10}\b", "and ritm0012345?", "ritm0012345", id="the first that has it"),
        pytest.param("büro [0-9]+", "im BÜRO 7", "BÜRO 7", id="another language"),
        pytest.param("[0-9]+", "none", None, id="nothing"),
        pytest.param("[0-9]+", "\ud800 7", "7", id="half a character"),
        pytest.param("[0-9]+", "x" * 500 + "7", None, id="too far away"),
        # Each would take a backtracking search longer than anybody waits.
        pytest.param("(a+)+b", "a" * 400, None, id="nested quantifiers"),
        pytest.param("(a|aa)+$", "a" * 400 + "!", None, id="two ways for each character"),
        pytest.param("(.*)(.*)(.*)(.*)(.*)(.*)[0-9]", "a" * 500, None, id="many quantifiers"),
    ],
)
def test_a_slot_reads_what_has_its_pattern(pattern, text, value):
    assert Slot(pattern=pattern).read(text) == value


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        pytest.param("(a", "missing ): (a", id="broken"),
        pytest.param("(?=a)a", "invalid perl operator: (?=", id="lookahead"),
        pytest.param(r"(a)\1", r"invalid escape sequence: \1", id="reference back"),
        pytest.param("((a{1,100}){1,100}){1,100}", "invalid repetition size: {1,100}", id="too large"),
    ],
)
def test_a_pattern_that_cannot_be_searched_in_linear_time_is_refused(tmp_path, pattern, problem):
    agent = an_agent(BYE)
    agent["flows"]["buy"]["slots"]["ticket"] = {"pattern": pattern}

    with pytest.raises(
        DefinitionError, match=re.escape(f"slots.ticket.pattern: Value error, not a pattern: {problem}")
    ):
        load(tmp_path, agent)
