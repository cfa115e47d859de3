"""Approvals inside a flow: what is asked for, which arguments a grant is good for, and what still waits."""

import hashlib
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import orjson

from self_service_agent.agent_service.definitions.steps import ApproveStep, CallStep, CollectStep
from self_service_agent.agent_service.definitions.values import ValueProblem
from self_service_agent.kit.lines import one_line

from .dialogue import Frame, Question
from .stage import Stage
from .turns import ApprovalRequest

_QUOTES: Final = str.maketrans("“”„", "'''")
_QUOTED: Final = 600
_SHOWN: Final = 1500


def wait_for_approval(step: ApproveStep, frame: Frame, stage: Stage) -> None:
    """Ask for the decision that `frame` stands at, once; raises `ValueProblem` if it cannot be asked for."""
    approval_id = stage.key_of(frame)
    summary = _summary(step, frame, stage)
    if frame.slots.get("approval", {}).get("id") != approval_id:
        _request(step, frame, stage, summary=summary)
    waiting = stage.texts.approval_waiting.render({"summary": summary})
    stage.ask(Question(purpose="step", expects="approval", text=waiting, action=step.action, summary=summary))


def waiting_approval(frame: Frame, stage: Stage) -> str | None:
    """Return the id of the decision that `frame` waits for, if it does."""
    approval = frame.slots.get("approval", {})
    is_waiting = approval.get("status") == "pending" and approval["id"] == stage.key_of(frame)
    return approval["id"] if is_waiting else None


def waiting_approvals(stage: Stage) -> frozenset[str]:
    """Return all decisions that the conversation waits for."""
    waiting = (waiting_approval(frame, stage) for frame in stage.dialogue.stack)
    return frozenset(each for each in waiting if each is not None)


def arguments_of(step: CallStep, frame: Frame, stage: Stage, *, key: str) -> dict[str, Any]:
    """Return what the tool of `step` is called with; raises `ValueProblem` if something is missing."""
    names = stage.names(frame, key=key)
    return {name: text.value(names) for name, text in step.arguments.items()}


def terms_of(step: CallStep, frame: Frame, stage: Stage) -> str:
    """Return the digest of the call that `step` would make now; the key of the call does not count."""
    return _digest(step.tool, arguments_of(step, frame, stage, key=""))


def approval_step_for(tool: str, frame: Frame, stage: Stage) -> str:
    """Return the step at which `tool` was approved."""
    asked: str | None = frame.slots.get("approval", {}).get("step")
    steps = [step.id for step in stage.flow_of(frame).steps if isinstance(step, ApproveStep) and step.action == tool]
    return asked if asked in steps else steps[0]


def _request(step: ApproveStep, frame: Frame, stage: Stage, *, summary: str) -> None:
    call = _call_after(step, frame, stage)
    terms = _digest(step.action, {"summary": summary}) if call is None else terms_of(call, frame, stage)
    approval_id = stage.key_of(frame)
    approvers = _approvers(step, frame, stage)
    frame.slots["approval"] = {
        "id": approval_id,
        "status": "pending",
        "summary": summary,
        "step": step.id,
        "terms": terms,
        "is_of_tool": call is not None,
    }
    stage.say_step(step.text, frame)
    stage.transcript.approval = ApprovalRequest(
        approval_id=approval_id,
        action=step.action,
        arguments_digest=terms,
        approvers=approvers,
        summary=summary,
        hours=step.hours,
        agent_id=frame.agent_id,
        definition_digest=frame.digest,
        flow=frame.flow,
        flow_instance_id=frame.instance,
    )


def _summary(step: ApproveStep, frame: Frame, stage: Stage) -> str:
    """Return on one line what is to be decided, in which the words of who asks stand in quotation marks."""
    flow = stage.flow_of(frame)
    asked = {each.slot for each in flow.steps if isinstance(each, CollectStep) and flow.slots[each.slot].type == "text"}
    written = {
        name: f"“{one_line(value.translate(_QUOTES), limit=_QUOTED)}”"
        for name, value in frame.slots.items()
        if isinstance(value, str) and name in asked
    }
    return one_line(step.summary.render({**stage.names(frame), **written}), limit=_SHOWN)


def _approvers(step: ApproveStep, frame: Frame, stage: Stage) -> str:
    named = step.approvers.value(stage.names(frame))
    if not isinstance(named, str) or not named.strip():
        raise ValueProblem("nobody is on record who could approve this")
    asking = {name.casefold() for name in (stage.turn.user_id, stage.turn.user_email, stage.turn.user_login) if name}
    if named.strip().casefold().removeprefix("person:") in asking:
        raise ValueProblem("the one on record who could approve this is yourself")
    return named.strip()


def _call_after(step: ApproveStep, frame: Frame, stage: Stage) -> CallStep | None:
    """Return the first call of the tool that an approval stands for, or None if it stands for something else."""
    flow = stage.flow_of(frame)
    seen: set[str] = set()
    following = flow.after(step)
    waiting = deque([following] if following else [])
    while waiting:
        step_id = waiting.popleft()
        if step_id in seen:
            continue
        seen.add(step_id)
        found = flow.by_id[step_id]
        if isinstance(found, CallStep) and found.tool == step.action:
            return found
        waiting.extend(flow.ways_on(found))
    return None


def _digest(action: str, arguments: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps([action, arguments], option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()
