"""The rows that a step offers or lists, numbered by their order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from self_service_agent.agent_service.definitions.steps import AnswerStep, ChooseStep
from self_service_agent.agent_service.definitions.values import ValueProblem
from self_service_agent.agent_service.understanding.context import Choice

from .dialogue import Frame
from .stage import Stage


@dataclass(frozen=True)
class Row:
    """Something to choose, and the value that choosing it gives."""

    choice: Choice
    value: Mapping[str, Any]


def rows_of(step: ChooseStep, frame: Frame, stage: Stage) -> list[Row]:
    """Return what `step` offers at this point of `frame`."""
    if step.options:
        return [Row(Choice(option.id, option.label, option.names), {"id": option.id}) for option in step.options]
    return [_row(step, record, frame, stage=stage) for record in _records(step, frame, stage)]


def listed(step: AnswerStep, frame: Frame, stage: Stage) -> list[str]:
    """Return the lines that an answer lists."""
    label = step.label
    if label is None:
        return []
    return [label.render(stage.names(frame, **record)) for record in _records(step, frame, stage)]


def _records(step: ChooseStep | AnswerStep, frame: Frame, stage: Stage) -> Iterable[Mapping[str, Any]]:
    if step.rows:
        records = step.rows.value(stage.names(frame))
    else:
        records = stage.definition_of(frame).tables[step.table or ""].rows
    if not isinstance(records, list | tuple) or not all(isinstance(record, Mapping) for record in records):
        raise ValueProblem("the list is not a list of records")
    where = step.where
    return records if where is None else [row for row in records if stage.evaluate(where, frame, row=row)]


def _row(step: ChooseStep, record: Mapping[str, Any], frame: Frame, *, stage: Stage) -> Row:
    if step.label is None or record.get(step.value) is None:
        raise ValueProblem(f"a row has no {step.value}")
    label = step.label.render(stage.names(frame, **record))
    names = tuple(str(record[name]) for name in step.names if record.get(name) is not None)
    return Row(Choice(str(record[step.value]), label, names), record)
