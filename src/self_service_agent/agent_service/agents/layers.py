"""Where the steps of a flow stand in a drawing: one row below the other, in the order in which they are reached."""

from collections.abc import Mapping
from dataclasses import dataclass

from self_service_agent.agent_service.definitions.models import Flow
from self_service_agent.agent_service.definitions.steps import (
    AnswerStep,
    AnyStep,
    ApproveStep,
    CallStep,
    ChooseStep,
    ConfirmStep,
    DecideStep,
)


@dataclass(frozen=True)
class Way:
    """A way from one step to another, and when it is gone; without a label it is the usual one."""

    start: str
    end: str
    label: str = ""


def ways_of(flow: Flow) -> list[Way]:
    """Return all ways of a flow, the usual one of each step last."""
    ways: list[Way] = []
    for step in flow.steps:
        ways += [Way(step.id, target, label) for target, label in _turns(step)]
        onward = flow.after(step)
        if onward is not None:
            ways.append(Way(step.id, onward, _usual(step)))
    return ways


def rows_of(flow: Flow) -> Mapping[str, tuple[int, int]]:
    """Return row and column of every step: each stands one row below the first step that leads to it."""
    depth = {flow.steps[0].id: 0}
    waiting = [flow.steps[0].id]
    for step_id in waiting:
        for target in reversed(list(flow.ways_on(flow.by_id[step_id]))):
            if target not in depth:
                depth[target] = depth[step_id] + 1
                waiting.append(target)
    columns: dict[int, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for step_id in waiting:
        row = depth[step_id]
        places[step_id] = (row, columns.get(row, 0))
        columns[row] = columns.get(row, 0) + 1
    return places


def told(step: AnyStep) -> str:
    """Return what a step is about, in a few words."""
    match step:
        case CallStep(tool=name) | ConfirmStep(action=name) | ApproveStep(action=name):
            return name
        case ChooseStep(slot=slot):
            return slot
        case _:
            return getattr(step, "slot", "") or getattr(step, "document", None) or getattr(step, "table", None) or ""


def _turns(step: AnyStep) -> list[tuple[str, str]]:
    match step:
        case DecideStep(cases=cases):
            return [(case.next, case.when.source) for case in cases]
        case CallStep(refused=str() as target):
            return [(target, "refused")]
        case ChooseStep(empty=str() as target) | AnswerStep(empty=str() as target):
            return [(target, "no rows")]
        case ConfirmStep(declined=target):
            return [(target, "no")]
        case ApproveStep(denied=target):
            return [(target, "denied")]
        case _:
            return []


def _usual(step: AnyStep) -> str:
    match step:
        case ConfirmStep():
            return "yes"
        case ApproveStep():
            return "granted"
        case DecideStep(cases=cases) if cases:
            return "else"
        case _:
            return ""
