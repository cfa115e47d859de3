"""Whatever is killed and whenever: every request has one answer, every decision one ticket, every answer arrives."""

from pathlib import Path

import pytest

from tests.faults.trial import Plan, endure


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
    assert summary.struck > 0
