"""Walks a flow from step to step, until it needs an answer, a tool, a decision by somebody else, or is over."""

from datetime import date

from self_service_agent.agent_service.definitions.steps import (
    AnswerStep,
    AnyStep,
    ApproveStep,
    CallStep,
    ChooseStep,
    CollectStep,
    ConfirmStep,
    DecideStep,
    EndStep,
    HandoffStep,
    SayStep,
)
from self_service_agent.agent_service.definitions.values import ValueProblem
from self_service_agent.agent_service.understanding.catalogue import PassageEntry
from self_service_agent.agent_service.understanding.context import Choice

from .approvals import approval_step_for, arguments_of, terms_of, wait_for_approval
from .dialogue import Frame, Question
from .earlier import correctables
from .failures import ask_about_failure, fail
from .labels import sentence_of
from .rows import listed, rows_of
from .stage import Stage
from .started import taken_from_start
from .tools import CallFailed, CallResult, PendingCall

STEP_LIMIT = 60


class UnwarrantedWrite(Exception):
    """A flow arrived at a tool that writes without the yes it needs; definitions that allow this do not load."""


def walk(stage: Stage) -> None:
    """Go on with the flow that has the word, and with those it interrupted, until there is something to wait for."""
    for _ in range(STEP_LIMIT):
        frame = stage.dialogue.top
        if frame is None or stage.dialogue.mode == "human":
            return
        if frame.failure:
            ask_about_failure(frame, stage)
            return
        try:
            if _waits(frame, stage):
                return
        except ValueProblem as problem:
            fail(frame, CallFailed("undecidable", str(problem)), stage)
    if (frame := stage.dialogue.top) is not None:
        fail(frame, CallFailed("undecidable", "the steps do not come to an end"), stage)
        ask_about_failure(frame, stage)


def go_on(frame: Frame, step: AnyStep, stage: Stage) -> None:
    """Move to whatever follows `step`, or end the flow."""
    following = stage.flow_of(frame).after(step)
    if following is None:
        finish(frame, stage)
    else:
        frame.move_to(following)


def finish(frame: Frame, stage: Stage, *, record: str | None = None) -> None:
    """End a flow, and give the word back to the one it interrupted or to the default agent."""
    dialogue = stage.dialogue
    if record is not None:
        dialogue.done[frame.name] = record
    leave(frame, stage)
    if dialogue.top is None:
        stage.transcript.replies.append(stage.texts.anything_else.source)
    else:
        stage.say_system(stage.texts.resumed, title=stage.flow_of(dialogue.top).title)


def leave(frame: Frame, stage: Stage) -> None:
    """Take a flow off the stack; once it is empty, the default agent hears the next message."""
    stage.dialogue.stack.remove(frame)
    if stage.dialogue.top is None:
        stage.dialogue.home = stage.definitions.default.id


def settle(frame: Frame, result: CallResult, stage: Stage) -> None:
    """Take in how a call went: go on with its answer, or note the failure."""
    step = stage.flow_of(frame).by_id[frame.step]
    if not isinstance(step, CallStep):
        return
    tool = stage.definition_of(frame).tools[step.tool]
    if not isinstance(result, CallFailed) and any(result.answer.get(name) is None for name in tool.requires):
        result = CallFailed("unavailable" if tool.effect == "read" else "in_doubt")
    outcome = result.sort if isinstance(result, CallFailed) else "succeeded"
    stage.transcript.tool_calls.append({"name": step.tool, "outcome": outcome})
    if outcome in {"succeeded", "refused"}:
        frame.warrant = None
        frame.approved.pop(step.tool, None)
    if not isinstance(result, CallFailed):
        frame.slots[step.save] = dict(result.answer)
        go_on(frame, step, stage)
    elif result.sort == "refused" and step.refused:
        frame.slots["reason"] = result.reason
        frame.move_to(step.refused)
    else:
        fail(frame, result, stage)


def _waits(frame: Frame, stage: Stage) -> bool:
    """Take one step, and say whether there is something to wait for."""
    step = stage.flow_of(frame).by_id[frame.step]
    match step:
        case CollectStep() if taken_from_start(step, frame, stage):
            go_on(frame, step, stage)
            return False
        case CollectStep() | ConfirmStep():
            _ask(step, frame, stage)
            return True
        case ChooseStep():
            return _offer(step, frame, stage)
        case CallStep():
            return _prepare_call(step, frame, stage)
        case ApproveStep():
            wait_for_approval(step, frame, stage)
            return True
        case _:
            _pass(step, frame, stage)
            return isinstance(step, AnswerStep) and step.question is not None


def _pass(step: DecideStep | SayStep | AnswerStep | HandoffStep | EndStep, frame: Frame, stage: Stage) -> None:
    match step:
        case DecideStep():
            _decide(step, frame, stage)
        case SayStep():
            stage.say_step(step.text, frame)
            go_on(frame, step, stage)
        case AnswerStep(question=None):
            _answer(step, frame, stage)
        case HandoffStep():
            hand_over(stage, text=step.text.render(stage.names(frame)) if step.text else None)
            leave(frame, stage)
        case EndStep():
            if step.text:
                stage.say_step(step.text, frame)
            finish(frame, stage, record=step.record.render(stage.names(frame)) if step.record else None)


def hand_over(stage: Stage, *, text: str | None = None) -> None:
    """Give the conversation to a person, with what is known so far."""
    frame = stage.dialogue.top
    stage.say(text or stage.texts.handed_over.render({}))
    stage.dialogue.mode = "human"
    stage.dialogue.handed_over = frame.instance if frame else None
    stage.transcript.handoff = {
        "flow": frame.name if frame else None,
        "step": frame.step if frame else None,
        "slots": dict(frame.slots) if frame else {},
        "done": dict(stage.dialogue.done),
        "last_message": stage.content,
    }


def _ask(step: CollectStep | ConfirmStep, frame: Frame, stage: Stage) -> None:
    names = stage.names(frame)
    ask = step.ask.render(names)
    if isinstance(step, CollectStep):
        slot = stage.flow_of(frame).slots[step.slot]
        stage.ask(Question(purpose="step", expects="text", text=ask, slot=step.slot, slot_type=slot.type))
        return
    summary = step.summary.render(names)
    stage.ask(
        Question(
            purpose="step",
            expects="confirmation",
            text=f"{sentence_of(summary)}.\n{ask} ({_ways_to_answer(frame, stage)})",
            choices=(Choice("yes", "Yes"), Choice("no", "No")),
            action=step.action,
            summary=summary,
        )
    )


def _ways_to_answer(frame: Frame, stage: Stage) -> str:
    return "yes/no, or say what to change" if correctables(frame, stage) else "yes/no"


def _offer(step: ChooseStep, frame: Frame, stage: Stage) -> bool:
    rows = rows_of(step, frame, stage)
    if not rows and step.empty:
        frame.move_to(step.empty)
        return False
    if len(rows) == 1 and step.single == "take":
        frame.slots[step.slot] = dict(rows[0].value)
        go_on(frame, step, stage)
        return False
    choices = tuple(row.choice for row in rows)
    ask = step.ask.render(stage.names(frame))
    stage.ask(Question(purpose="step", expects="choice", text=ask, choices=choices, slot=step.slot))
    return True


def _prepare_call(step: CallStep, frame: Frame, stage: Stage) -> bool:
    tool = stage.definition_of(frame).tools[step.tool]
    key = stage.key_of(frame)
    arguments = arguments_of(step, frame, stage, key=key)
    if tool.effect == "write" and not _is_warranted(step, frame, stage):
        return False
    keyed = {tool.key_argument: key} if tool.key_argument else {}
    stage.call = PendingCall(tool=step.tool, arguments={**arguments, **keyed}, key=key)
    return True


def _is_warranted(step: CallStep, frame: Frame, stage: Stage) -> bool:
    """Tell whether a write may go on; what was approved and has changed since is asked for again."""
    approved = frame.approved.get(step.tool)
    if approved is None and frame.warrant != step.tool:
        raise UnwarrantedWrite(f"{frame.name}.{step.id}")
    if approved is None or approved["digest"] == terms_of(step, frame, stage):
        return True
    stage.say_system(stage.texts.approval_changed)
    frame.warrant = None
    frame.move_to(approval_step_for(step.tool, frame, stage))
    return False


def _decide(step: DecideStep, frame: Frame, stage: Stage) -> None:
    for part in step.set:
        value = stage.evaluate(part.value, frame)
        frame.slots[part.slot] = value.isoformat() if isinstance(value, date) else value
    for case in step.cases:
        if stage.evaluate(case.when, frame):
            frame.move_to(case.next)
            return
    go_on(frame, step, stage)


def _answer(step: AnswerStep, frame: Frame, stage: Stage) -> None:
    lines = [] if step.document else listed(step, frame, stage)
    if step.empty and not lines and not step.document:
        frame.move_to(step.empty)
        return
    if step.text:
        stage.say_step(step.text, frame)
    if step.document and step.section:
        document = stage.definition_of(frame).knowledge[step.document]
        stage.cite(PassageEntry(step.document, document.title, document.sections[step.section]))
    elif lines:
        stage.say("\n".join(f"- {line}" for line in lines))
    go_on(frame, step, stage)
