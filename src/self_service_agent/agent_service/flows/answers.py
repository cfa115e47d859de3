"""Takes in a reply to the pending question: a choice, a value, a yes or a no, or a correction of an earlier one."""

from typing import Any

from self_service_agent.agent_service.definitions.steps import ApproveStep, ChooseStep, CollectStep, ConfirmStep
from self_service_agent.agent_service.definitions.values import ValueProblem
from self_service_agent.agent_service.understanding.commands import Affirm, Choose, Correct, Deny, SetSlot
from self_service_agent.agent_service.understanding.grammar import is_explicit_yes

from .approvals import waiting_approval
from .dialogue import Frame
from .earlier import answered_steps
from .rows import rows_of
from .stage import Stage
from .steps import go_on, leave
from .turns import ApprovalDecision


def choose(command: Choose, frame: Frame, stage: Stage) -> bool:
    """Take a choice of the step that `frame` stands at; say whether it was one."""
    step = stage.flow_of(frame).by_id[frame.step]
    return isinstance(step, ChooseStep) and _take_row(step, command.choice_id, frame, stage=stage)


def set_slot(command: SetSlot, frame: Frame, stage: Stage) -> bool:
    """Take the value that `frame` asked for; say whether it fits."""
    step = stage.flow_of(frame).by_id[frame.step]
    if not isinstance(step, CollectStep) or step.slot != command.slot:
        return False
    return _take_value(step, command.value, frame, stage=stage)


def confirm(command: Affirm | Deny, frame: Frame, stage: Stage) -> bool:
    """Take a yes or a no to the summary shown; a yes counts only if the whole message is one."""
    step = stage.flow_of(frame).by_id[frame.step]
    if not isinstance(step, ConfirmStep):
        return False
    if isinstance(command, Deny):
        frame.warrant = None
        frame.move_to(step.declined)
        return True
    if not is_explicit_yes(stage.content):
        return False
    frame.warrant = step.action
    _answered(frame, step.id)
    go_on(frame, step, stage)
    return True


def correct(command: Correct, frame: Frame, stage: Stage) -> bool:
    """Return to an earlier answer, and take the new one if it is given; say whether there was one to correct."""
    for step in answered_steps(frame, stage):
        if step.slot == command.slot:
            _rewind(frame, step.id, stage)
            if isinstance(step, ChooseStep) and command.choice_id is not None:
                _take_row(step, command.choice_id, frame, stage=stage)
            elif isinstance(step, CollectStep) and command.value is not None:
                _take_value(step, command.value, frame, stage=stage)
            return True
    return False


def go_back(frame: Frame, stage: Stage) -> bool:
    """Return to the last step that was answered; say whether there was one."""
    if not frame.trail:
        return False
    _rewind(frame, frame.trail[-1], stage)
    return True


def decide_approval(decision: ApprovalDecision, frame: Frame, stage: Stage) -> bool:
    """Take in the decision that `frame` waits for; say whether it does."""
    step = stage.flow_of(frame).by_id[frame.step]
    if not isinstance(step, ApproveStep) or waiting_approval(frame, stage) != decision.approval_id:
        return False
    approval = frame.slots["approval"]
    frame.slots["approval"] = {**approval, "status": decision.outcome}
    _tell(decision, frame, stage)
    if decision.outcome == "cancelled":
        leave(frame, stage)
    elif decision.outcome == "granted":
        frame.warrant = step.action
        if approval.get("is_of_tool"):
            frame.approved[step.action] = {"digest": approval["terms"], "after": len(frame.trail)}
        go_on(frame, step, stage)
    else:
        frame.move_to(step.denied)
    return True


def _tell(decision: ApprovalDecision, frame: Frame, stage: Stage) -> None:
    texts = stage.texts
    match decision.outcome:
        case "granted":
            stage.say_system(texts.approval_granted)
        case "denied":
            stage.say_system(texts.approval_denied)
        case "expired":
            stage.say_system(texts.approval_expired, summary=decision.summary)
        case "cancelled":
            stage.say_system(texts.cancelled, title=stage.flow_of(frame).title)
    if decision.comment:
        stage.say_system(texts.approval_comment, comment=decision.comment)


def _take_value(step: CollectStep, said: Any, frame: Frame, *, stage: Stage) -> bool:
    value = stage.flow_of(frame).slots[step.slot].read(said)
    if value is None:
        return False
    frame.slots[step.slot] = value
    _answered(frame, step.id)
    go_on(frame, step, stage)
    return True


def _take_row(step: ChooseStep, choice_id: str, frame: Frame, *, stage: Stage) -> bool:
    try:
        rows = rows_of(step, frame, stage)
    except ValueProblem:
        return False
    for row in rows:
        if row.choice.id == choice_id:
            frame.slots[step.slot] = dict(row.value)
            _answered(frame, step.id)
            go_on(frame, step, stage)
            return True
    return False


def _answered(frame: Frame, step_id: str) -> None:
    """Note the answer; a step that is answered again takes its later answers off the trail."""
    kept = frame.trail[: frame.trail.index(step_id)] if step_id in frame.trail else frame.trail
    frame.trail = [*kept, step_id]


def _rewind(frame: Frame, step_id: str, stage: Stage) -> None:
    """Stand at an earlier step again, as if nothing after it had been answered."""
    at = frame.trail.index(step_id)
    by_id = stage.flow_of(frame).by_id
    for later in frame.trail[at:]:
        frame.slots.pop(getattr(by_id[later], "slot", ""), None)
    frame.trail = frame.trail[:at]
    frame.warrant = None
    frame.approved = {tool: given for tool, given in frame.approved.items() if given["after"] <= at}
    frame.move_to(step_id)
