"""How often a turn is tried, and how long it waits in between."""

from datetime import timedelta

import pytest

from self_service_agent.agent_service.turns.rules import TurnPolicy

POLICY = TurnPolicy(attempts=5, crashes=20, base=timedelta(seconds=1), cap=timedelta(seconds=30))


@pytest.mark.parametrize(
    ("attempt", "taken_over", "is_spent"),
    [
        pytest.param(5, False, False, id="the last attempt is still made"),
        pytest.param(6, False, True, id="after the last failure the turn is given up"),
        pytest.param(6, True, False, id="workers that died do not count like failures"),
        pytest.param(25, True, False, id="the last crash is still forgiven"),
        pytest.param(26, True, True, id="a turn that keeps killing its worker ends"),
    ],
)
def test_a_turn_is_tried_so_often(attempt, taken_over, is_spent):
    assert POLICY.is_spent(attempt, taken_over=taken_over) is is_spent


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [
        pytest.param(1, 0.5, id="the first wait is the base, times chance"),
        pytest.param(3, 2, id="it doubles with every attempt"),
        pytest.param(60, 15, id="up to the cap"),
    ],
)
def test_a_failed_turn_waits(attempt, seconds):
    assert POLICY.wait(attempt, random=0.5) == timedelta(seconds=seconds)
