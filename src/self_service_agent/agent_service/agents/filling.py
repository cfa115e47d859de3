"""Which slots are filled where: on every way to a step, or on some."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from self_service_agent.agent_service.definitions.checks import GIVEN_NAMES
from self_service_agent.agent_service.definitions.models import Flow
from self_service_agent.agent_service.definitions.steps import (
    AnyStep,
    CallStep,
    ChooseStep,
    CollectStep,
    DecideStep,
    rules_of,
    texts_of,
)


@dataclass(frozen=True)
class Use:
    """A step that uses a slot; `somewhere` says whether any way to the step fills it."""

    step: str
    field: str
    slot: str
    somewhere: bool


def unfilled(flow: Flow) -> Iterator[Use]:
    """Yield every use of a slot that is not filled on all ways to it."""
    always, sometimes = _on_all_ways(flow), _on_some_way(flow)
    for step in flow.steps:
        for field, name in sorted(set(uses_of(step))):
            if name in flow.slots and name not in always[step.id]:
                yield Use(step.id, field, name, name in sometimes[step.id])


def uses_of(step: AnyStep) -> Iterator[tuple[str, str]]:
    """Yield the names that the texts and rules of a step need, with their fields; labels also name columns."""
    own = _set_before_use(step)
    for field, text in texts_of(step):
        if field != "label":
            yield from ((field, name) for name in text.names - GIVEN_NAMES)
    for field, rule in rules_of(step):
        yield from ((field, name) for name in rule.names - GIVEN_NAMES - own)


def filled_by(step: AnyStep) -> frozenset[str]:
    """Return the slots that a step fills when the flow goes on from it."""
    match step:
        case CollectStep(slot=slot) | ChooseStep(slot=slot) | CallStep(save=slot):
            return frozenset({slot})
        case DecideStep(set=parts):
            return frozenset(part.slot for part in parts)
        case _:
            return frozenset()


def _set_before_use(step: AnyStep) -> frozenset[str]:
    # A decision works its values out one after the other; which of them needs which is found when it is tried.
    return filled_by(step) if isinstance(step, DecideStep) else frozenset()


def _on_some_way(flow: Flow) -> Mapping[str, frozenset[str]]:
    """Return the slots that some way to each step fills."""
    reached: dict[str, frozenset[str]] = dict.fromkeys(flow.by_id, frozenset())
    changed = True
    while changed:
        changed = False
        for target, carried in _carried(flow, reached):
            if not carried <= reached[target]:
                reached[target] |= carried
                changed = True
    return reached


def _on_all_ways(flow: Flow) -> Mapping[str, frozenset[str]]:
    """Return the slots that every way to each step fills; nothing is filled at the first."""
    reached = dict.fromkeys(flow.by_id, frozenset(flow.slots))
    reached[flow.steps[0].id] = frozenset()
    changed = True
    while changed:
        changed = False
        for target, carried in _carried(flow, reached):
            if not reached[target] <= carried:
                reached[target] &= carried
                changed = True
    return reached


def _carried(flow: Flow, reached: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield every way from step to step with the slots that are filled once it is gone."""
    for step in flow.steps:
        before = reached[step.id]
        after = before | filled_by(step)
        onward = flow.after(step)
        if onward is not None:
            yield onward, after
        # A refusal or a lack of rows fills nothing; a decision has done so before it chooses its way.
        yield from ((target, after if isinstance(step, DecideStep) else before) for target in step.targets())
