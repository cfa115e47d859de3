"""The plan of a flow: what it may do, step by step, in words and before it does any of it."""

from collections.abc import Iterator
from typing import Any

from self_service_agent.agent_service.definitions.models import AgentDefinition, Flow
from self_service_agent.agent_service.definitions.steps import (
    AnswerStep,
    AnyStep,
    ApproveStep,
    CallStep,
    ChooseStep,
    CollectStep,
    ConfirmStep,
    DecideStep,
    HandoffStep,
)

from .dialogue import Frame
from .labels import label_of
from .stage import Stage


def tell_plan(frame: Frame, stage: Stage) -> None:
    """Say what the flow that has just begun may do."""
    flow = stage.flow_of(frame)
    plan = list(plan_of(flow, stage.definition_of(frame)))
    steps = "\n".join(f"{number}. {step['title']}" for number, step in enumerate(plan, start=1))
    stage.transcript.plan = plan
    stage.say_system(stage.texts.plan, title=flow.title, steps=steps)


def plan_of(flow: Flow, agent: AgentDefinition) -> Iterator[dict[str, Any]]:
    """Yield each step that a person notices: its id, its kind, and what it does in words."""
    said = ""
    for step in flow.steps:
        title = _title(step, agent)
        if title and title != said:
            said = title
            yield {"id": step.id, "kind": step.kind, "title": title}


def _title(step: AnyStep, agent: AgentDefinition) -> str:
    match step:
        case CollectStep(slot=slot):
            return f"Ask for this: {label_of(slot).lower()}"
        case ChooseStep(slot=slot):
            return f"Let you choose: {label_of(slot).lower()}"
        case CallStep(tool=tool):
            known = agent.tools.get(tool)
            changes = " (this changes something)" if known is not None and known.effect == "write" else ""
            return f"{label_of(tool)}{changes}"
        case _:
            return _title_without_name(step)


def _title_without_name(step: AnyStep) -> str:
    match step:
        case DecideStep():
            return "Check the rules"
        case ConfirmStep():
            return "Ask for your yes before anything is changed"
        case ApproveStep():
            return "Wait for an approval"
        case AnswerStep():
            return "Quote the documents"
        case HandoffStep():
            return "Hand over to a person"
        case _:
            return ""
