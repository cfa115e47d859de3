"""Takes what the message that starts a flow already says, so that nobody is asked for it again."""

from self_service_agent.agent_service.definitions.steps import CollectStep
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
