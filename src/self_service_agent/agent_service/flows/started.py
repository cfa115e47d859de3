"""What a message that starts a flow says besides: which flow finds out how things stand, and values it asks for."""

from self_service_agent.agent_service.definitions.steps import CollectStep
from self_service_agent.agent_service.understanding.commands import StartFlow
from self_service_agent.kit.ids import derived_id

from .dialogue import Frame
from .stage import Stage


def taken_from_start(step: CollectStep, frame: Frame, stage: Stage) -> bool:
    """Fill the slot of `step` from the message that began `frame`, if it has the slot's pattern; say whether it does.

    Only on the way from the start: who goes back or corrects is asked.
    """
    slot = stage.flow_of(frame).slots[step.slot]
    begun_now = frame.instance == derived_id(stage.turn.request_id, frame.flow)
    if slot.pattern is None or not begun_now or frame.trail or step.slot in frame.slots:
        return False
    value = slot.read(stage.content)
    if value is None:
        return False
    frame.slots[step.slot] = value
    frame.trail = [*frame.trail, step.id]
    return True


def asked_flow(stage: Stage) -> StartFlow | None:
    """Return the first flow that answers how things stand, asked in these words, or None if none does."""
    for entry in stage.catalogue.flows:
        agent = stage.definitions.current(entry.agent_id)
        if agent is not None and agent.flows[entry.flow].is_asked(stage.content):
            return StartFlow(entry.agent_id, entry.flow)
    return None
