"""Whatever is killed and whenever: every request has one answer, every decision one ticket, every answer arrives."""

from pathlib import Path

import pytest

from tests.faults.trial import Plan, endure

# A life ends a moment after so many are in flight, and some are answered in that moment.
RUSH = Plan(seed=5, kills=3, callers=360, questions_per_caller=3, in_flight=260)


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan(seed=1, kills=7), id="the process, seed 1"),
        pytest.param(Plan(seed=2, kills=7), id="the process, seed 2"),
        pytest.param(Plan(seed=3, kills=7), id="the process, seed 3"),
        pytest.param(Plan(seed=4, kills=4, kills_database=True), id="the process and its database"),
    ],
)
async def test_nothing_is_lost_and_nothing_happens_twice(plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture):
    summary = await endure(plan, tmp_path)

    with capsys.disabled():
        print(f"\n{summary}")  # noqa: T201  # the numbers belong to the outcome
    assert any(summary.struck)


async def test_nothing_is_lost_when_kills_strike_200_requests(tmp_path: Path, capsys: pytest.CaptureFixture):
    summary = await endure(RUSH, tmp_path)

    with capsys.disabled():
        print(f"\n{summary}")  # noqa: T201  # the numbers belong to the outcome
    assert len(summary.struck) == RUSH.kills
    # A machine that is quick enough has answered everything before the last kill.
    assert sum(count >= 200 for count in summary.struck) >= 2, summary.struck
