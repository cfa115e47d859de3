"""The earlier answers of a flow in progress, as far as they can be taken back."""

from collections.abc import Iterator

from self_service_agent.agent_service.definitions.steps import ChooseStep, CollectStep
from self_service_agent.agent_service.understanding.context import Correctable

from .dialogue import Frame
from .rows import rows_of
from .stage import Stage


def correctables(frame: Frame, stage: Stage) -> tuple[Correctable, ...]:
    """Return the earlier answers of `frame` that can be taken back by name."""
    slots = stage.flow_of(frame).slots
    return tuple(_correctable(step, frame, stage) for step in answered_steps(frame, stage) if slots[step.slot].words)


def answered_steps(frame: Frame, stage: Stage) -> Iterator[ChooseStep | CollectStep]:
    """Yield the steps of `frame` that were answered with a choice or a value, in order."""
    by_id = stage.flow_of(frame).by_id
    for step_id in frame.trail:
        step = by_id[step_id]
        if isinstance(step, ChooseStep | CollectStep):
            yield step


def _correctable(step: ChooseStep | CollectStep, frame: Frame, stage: Stage) -> Correctable:
    slot = stage.flow_of(frame).slots[step.slot]
    if isinstance(step, CollectStep):
        return Correctable(step.slot, slot.words, slot_type=slot.type)
    rows = rows_of(step, frame, stage)
    chosen = next((row.choice.id for row in rows if dict(row.value) == frame.slots.get(step.slot)), None)
    return Correctable(step.slot, slot.words, tuple(row.choice for row in rows), chosen)
