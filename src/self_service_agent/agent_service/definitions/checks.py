"""What must hold inside one definition, and between definitions, before any of them is used."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from .models import AgentDefinition, Flow
from .steps import AnswerStep, AnyStep, CallStep, ChooseStep, CollectStep, DecideStep, rules_of, texts_of

GIVEN_NAMES = frozenset({"user", "approval", "key", "reason"})


def problems_in(definition: AgentDefinition) -> Iterator[str]:
    """Yield every broken promise inside `definition`, with its place."""
    if definition.say is None and not definition.flows and not definition.routes and not definition.knowledge:
        yield "the agent has neither flows, nor routes, nor documents, nor something to say"
    yield from _problems_of_facts(definition)
    for name, tool in definition.tools.items():
        if tool.effect == "read" and tool.reconcile:
            yield f"tools.{name}.reconcile: only a tool that writes is reconciled"
        if tool.reconcile and tool.key_argument is None:
            yield f"tools.{name}.reconcile: can find nothing unless key_argument says where the key goes"
    for name, flow in definition.flows.items():
        yield from (f"flows.{name}.{problem}" for problem in _problems_of_flow(definition, flow))


def problems_between(definitions: Mapping[str, AgentDefinition]) -> Iterator[str]:
    """Yield every reference from one definition to another that leads nowhere."""
    for definition in definitions.values():
        for agent_id in definition.routes:
            if agent_id not in definitions:
                yield f"{definition.id}: routes: unknown agent {agent_id}"
    yield from _tools_declared_differently(definitions)


def _tools_declared_differently(definitions: Mapping[str, AgentDefinition]) -> Iterator[str]:
    """Find tools that one agent takes for something else than another does: what writes, writes for everybody."""
    first: dict[str, AgentDefinition] = {}
    for definition in definitions.values():
        for name, tool in definition.tools.items():
            other = first.setdefault(name, definition)
            if "write" in {tool.effect, other.tools[name].effect} and other.tools[name] != tool:
                yield f"{definition.id}: tools.{name}: {other.id} declares it differently"


def _problems_of_facts(definition: AgentDefinition) -> Iterator[str]:
    for name, table in definition.tables.items():
        keys = [row.get(table.key) for row in table.rows]
        if None in keys or len(set(keys)) != len(keys):
            yield f"tables.{name}: the key {table.key} must be present and unique in every row"
    for name, document in definition.knowledge.items():
        for heading in document.questions.keys() - document.sections.keys():
            yield f"knowledge.{name}.questions: no section {heading!r}"


def _problems_of_flow(definition: AgentDefinition, flow: Flow) -> Iterator[str]:
    yield from (f"slots.{name}: the engine itself sets {name}" for name in sorted(flow.slots.keys() & GIVEN_NAMES))
    ids = [step.id for step in flow.steps]
    for step_id in sorted({step_id for step_id in ids if ids.count(step_id) > 1}):
        yield f"steps: the id {step_id} is used twice"
    lost = [
        (step.id, target)
        for step in flow.steps
        for target in chain(step.targets(), [step.next])
        if target not in flow.by_id
    ]
    unknown = [(step_id, target) for step_id, target in lost if target is not None]
    yield from (f"steps.{step_id}: unknown step {target}" for step_id, target in unknown)
    for step in flow.steps:
        yield from (f"steps.{step.id}.{problem}" for problem in _problems_of_step(definition, flow, step))
    if unknown:
        return
    reachable = _reachable(flow, [ids[0]], not_past=None)
    yield from (f"steps.{step_id}: cannot be reached" for step_id in ids if step_id not in reachable)
    yield from _unguarded_writes(definition, flow)


def _unguarded_writes(definition: AgentDefinition, flow: Flow) -> Iterator[str]:
    """Find each write that the flow's start, or an earlier write, can reach without a yes to that very tool."""
    for step in flow.steps:
        if not isinstance(step, CallStep) or step.tool not in definition.tools:
            continue
        if definition.tools[step.tool].effect == "read":
            continue
        starts = [flow.steps[0].id, *flow.ways_on(step)]
        if step.id in _reachable(flow, starts, not_past=step.tool):
            yield f"steps.{step.id}: {step.tool} writes, and can be reached without a confirm or approve step for it"


def _reachable(flow: Flow, starts: Iterable[str], *, not_past: str | None) -> set[str]:
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        step_id = waiting.pop()
        if step_id not in seen:
            seen.add(step_id)
            waiting.extend(flow.ways_on(flow.by_id[step_id], not_past=not_past))
    return seen


def _problems_of_step(definition: AgentDefinition, flow: Flow, step: AnyStep) -> Iterator[str]:
    yield from _unknown_references(definition, flow, step)
    slots = flow.slots.keys() | GIVEN_NAMES
    columns = _columns(definition, step)
    for field, text in texts_of(step):
        known = slots | columns if field == "label" else slots
        yield from (f"{field}: unknown slot {name}" for name in sorted(text.names - known))
    for field, rule in rules_of(step):
        known = slots | {"row"} if field == "where" else slots
        yield from (f"{field}: unknown slot {name}" for name in sorted(rule.names - known))
        yield from (f"{field}: unknown table {table}" for table in sorted(rule.tables - definition.tables.keys()))


def _columns(definition: AgentDefinition, step: AnyStep) -> frozenset[str]:
    """Return the fields a label may name: of the table's rows, or any at all for rows that a tool returns."""
    if isinstance(step, ChooseStep | AnswerStep) and step.rows and step.label:
        return step.label.names
    table = definition.tables.get(getattr(step, "table", None) or "")
    return frozenset(table.rows[0]) if table else frozenset()


def _unknown_references(definition: AgentDefinition, flow: Flow, step: AnyStep) -> Iterator[str]:
    match step:
        case CollectStep(slot=slot) | ChooseStep(slot=slot) | CallStep(save=slot) if slot not in flow.slots:
            yield f"unknown slot {slot}"
        case DecideStep(set=values):
            yield from (
                f"set: unknown slot {slot}" for slot in (part.slot for part in values) if slot not in flow.slots
            )
        case _:
            pass
    match step:
        case CallStep(tool=tool) if tool not in definition.tools:
            yield f"unknown tool {tool}"
        case ChooseStep(table=str() as table) | AnswerStep(table=str() as table) if table not in definition.tables:
            yield f"unknown table {table}"
        case AnswerStep(document=str() as document, section=section):
            known = definition.knowledge.get(document)
            if known is None or section not in known.sections:
                yield f"no section {section!r} in document {document}"
        case _:
            pass
