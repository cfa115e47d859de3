"""What an author should know about definitions before anybody talks to them: errors, and what only looks wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

from self_service_agent.agent_service.definitions.loader import read_folder
from self_service_agent.agent_service.definitions.models import AgentDefinition, Flow
from self_service_agent.agent_service.definitions.steps import AnswerStep, CallStep, ChooseStep, DecideStep, SayStep
from self_service_agent.agent_service.understanding.words import content_tokens

from .filling import filled_by, unfilled, uses_of


@dataclass(frozen=True)
class Finding:
    """Something wrong (`error`), or likely to be (`warning`), with file, place and reason in its text."""

    level: Literal["error", "warning"]
    text: str


def lint(folder: Path) -> list[Finding]:
    """Return everything that is to be said about the definitions in `folder`, errors first."""
    found, problems = read_folder(folder)
    errors = [Finding("error", problem) for problem in problems]
    if not found and not problems:
        errors.append(Finding("error", f"{folder}: there are no definitions (*.yaml)"))
    findings = [finding for name, agent in found.items() for finding in _of_agent(name, agent)]
    return sorted([*errors, *findings, *_between(found)], key=lambda finding: finding.level)


def _of_agent(name: str, agent: AgentDefinition) -> Iterator[Finding]:
    for flow_name, flow in agent.flows.items():
        place = f"{name}: flows.{flow_name}"
        yield from _of_slots(place, flow)
        yield from _of_circles(place, flow)
    for tool in sorted(agent.tools.keys() - _called(agent)):
        yield Finding("warning", f"{name}: tools.{tool}: no step calls it")
    for table in sorted(agent.tables.keys() - _looked_up(agent)):
        yield Finding("warning", f"{name}: tables.{table}: nothing uses it")


def _of_slots(place: str, flow: Flow) -> Iterator[Finding]:
    for use in unfilled(flow):
        step = f"{place}.steps.{use.step}.{use.field}"
        if use.somewhere:
            yield Finding("warning", f"{step}: {use.slot} is not filled on every way to this step")
        else:
            yield Finding("error", f"{step}: {use.slot} is filled by no step before this one")
    used = {name for step in flow.steps for _, name in uses_of(step)} | {
        name for step in flow.steps if isinstance(step, DecideStep) for part in step.set for name in part.value.names
    }
    filled = {name for step in flow.steps for name in filled_by(step)}
    for name in sorted(flow.slots.keys() - used):
        # What a last call returns, and what is asked for the record only, may well be used by nobody.
        reason = "no step fills or uses it" if name not in filled else "no text or rule uses it"
        yield Finding("warning", f"{place}.slots.{name}: {reason}")


def _of_circles(place: str, flow: Flow) -> Iterator[Finding]:
    """Find steps that lead back to themselves without anybody being asked or anything being called."""
    for step in flow.steps:
        if isinstance(step, DecideStep | SayStep | AnswerStep) and step.id in _passing(flow, step.id):
            yield Finding("error", f"{place}.steps.{step.id}: comes back to itself without waiting for anything")


def _passing(flow: Flow, start: str) -> set[str]:
    """Return the steps that the flow reaches from `start` before it has to wait."""
    seen: set[str] = set()
    waiting = list(flow.ways_on(flow.by_id[start]))
    while waiting:
        step_id = waiting.pop()
        if step_id in seen:
            continue
        seen.add(step_id)
        step = flow.by_id[step_id]
        if isinstance(step, DecideStep | SayStep | AnswerStep):
            waiting.extend(flow.ways_on(step))
    return seen


def _between(found: Mapping[str, AgentDefinition]) -> Iterator[Finding]:
    routed = {agent_id for agent in found.values() for agent_id in agent.routes}
    for name, agent in found.items():
        if agent.flows and agent.id not in routed and not agent.routes:
            yield Finding("warning", f"{name}: no agent routes to {agent.id}")
    for (place, said), (other, also) in combinations(list(_said(found)), 2):
        if place != other and said & also:
            both = ", ".join(sorted(" ".join(sorted(words)) for words in said & also))
            yield Finding("warning", f"{place}.examples: the same words start {other}: {both}")


def _said(found: Mapping[str, AgentDefinition]) -> Iterator[tuple[str, frozenset[frozenset[str]]]]:
    for name, agent in found.items():
        for flow_name, flow in agent.flows.items():
            words = {frozenset(content_tokens(text)) for text in (flow.title, *flow.examples)}
            yield f"{name}: flows.{flow_name}", frozenset(words - {frozenset()})


def _called(agent: AgentDefinition) -> set[str]:
    steps = (step for flow in agent.flows.values() for step in flow.steps)
    return {step.tool for step in steps if isinstance(step, CallStep)}


def _looked_up(agent: AgentDefinition) -> set[str]:
    used: set[str] = set()
    for flow in agent.flows.values():
        for step in flow.steps:
            if isinstance(step, ChooseStep | AnswerStep) and step.table:
                used.add(step.table)
            used.update(table for rule in _rules(step) for table in rule)
    return used


def _rules(step: object) -> Iterator[frozenset[str]]:
    match step:
        case ChooseStep(where=where) | AnswerStep(where=where) if where is not None:
            yield where.tables
        case DecideStep(set=parts, cases=cases):
            yield from (part.value.tables for part in parts)
            yield from (case.when.tables for case in cases)
        case _:
            pass
