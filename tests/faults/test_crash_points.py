"""A process that dies between two steps leaves exactly one effect, whichever steps they are."""

import signal
from pathlib import Path

import pytest

from self_service_agent.kit.database import Address
from tests.faults.crashing import Step
from tests.faults.evidence import Summary
from tests.faults.steps import CHOICE, MOMENTS, WISH, YES, Left, Moment, struck_at

# The other moments of the first two turns are for `python -m benchmarks.faults --steps`.
SHORT = (
    Moment(said=WISH, step=Step.CALLED),
    Moment(said=CHOICE, step=Step.SETTLED),
    *(moment for moment in MOMENTS if moment.said == YES),
)


@pytest.mark.parametrize("moment", SHORT, ids=lambda moment: f"{moment.said}-{moment.step.name.lower()}")
async def test_a_crash_at_any_step_leaves_one_effect(moment: Moment, database: Address, tmp_path: Path):
    left = await struck_at(moment, database, tmp_path)

    writes = moment.said == YES
    assert left == Left(
        died=-signal.SIGKILL,
        writes=1,
        summary=Summary(
            requests=3,
            struck=(1,),
            answers=3,
            tickets=1,
            deliveries=1,
            repeats=int(moment.step is Step.SENT),
            retaken=int(moment.step in {Step.INTENDED, Step.CALLED, Step.SETTLED}),
            recalled=int(writes and moment.step in {Step.INTENDED, Step.CALLED}),
        ),
    )
    assert left.is_right
