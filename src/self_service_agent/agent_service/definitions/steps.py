"""The steps that a flow is made of, as its author writes them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from .expressions import LENGTH_LIMIT, Expression, compile_expression
from .templates import Record, Template, compile_argument, compile_template, source_of

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
# As servers name them, with the server's own name in front where several have such a tool: `server.tool`.
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_./-]*$", max_length=200)]
Text = Annotated[
    Template,
    PlainValidator(compile_template),
    PlainSerializer(lambda text: text.source),
    WithJsonSchema({"type": "string", "description": "A text with places for values: {slot} and {slot.field}"}),
]
Given = Annotated[
    Template | Record,
    PlainValidator(compile_argument),
    PlainSerializer(source_of),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}],
            "description": "A text with places for values, or a record of such texts",
        }
    ),
]
Rule = Annotated[
    Expression,
    PlainValidator(compile_expression),
    PlainSerializer(lambda rule: rule.source),
    WithJsonSchema({"type": "string", "maxLength": LENGTH_LIMIT, "description": "A rule, as: age >= 3 and not late"}),
]


class Part(BaseModel):
    """A piece of a definition: fixed once read, and nothing in it that nobody asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(Part):
    """What every step has; without `next` the flow goes on with the step below, or ends."""

    id: Name
    next: Name | None = None

    def targets(self) -> Iterator[Name]:
        """Yield every step that this one names as a way on, besides `next`."""
        yield from ()


class CollectStep(Step):
    """Ask for one value and read it from the reply."""

    kind: Literal["collect"]
    slot: Name
    ask: Text


class Option(Part):
    """One fixed thing to choose."""

    id: str
    label: str
    names: tuple[str, ...] = ()


class ChooseStep(Step):
    """Let the person choose one of numbered rows: of a table, of a list that a tool returned, or fixed ones."""

    kind: Literal["choose"]
    slot: Name
    ask: Text
    table: Name | None = None
    rows: Text | None = None
    options: tuple[Option, ...] = ()
    where: Rule | None = None
    label: Text | None = None
    value: Name = "id"
    names: tuple[Name, ...] = ()
    single: Literal["ask", "take"] = "ask"
    empty: Name | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> "ChooseStep":
        if sum((self.table is not None, self.rows is not None, bool(self.options))) != 1:
            raise ValueError("needs exactly one of table, rows and options")
        if not self.options and (self.label is None or self.empty is None):
            raise ValueError("rows need a label, and a step to go to when there are none")
        return self

    def targets(self) -> Iterator[Name]:
        if self.empty:
            yield self.empty


class CallStep(Step):
    """Call one tool; the engine alone does this, and only once per decision. An argument may have parts of its own."""

    kind: Literal["call"]
    tool: ToolName
    arguments: dict[Name, Given] = Field(default_factory=dict)
    save: Name
    refused: Name | None = None

    def targets(self) -> Iterator[Name]:
        if self.refused:
            yield self.refused


class Case(Part):
    """A way to go when `when` holds."""

    when: Rule
    next: Name


class Assignment(Part):
    """A slot, and what it is set to."""

    slot: Name
    value: Rule


class DecideStep(Step):
    """Work out values one after the other, then take the first way whose condition holds, else go on."""

    kind: Literal["decide"]
    set: tuple[Assignment, ...] = ()
    cases: tuple[Case, ...] = ()

    def targets(self) -> Iterator[Name]:
        yield from (case.next for case in self.cases)


class SayStep(Step):
    """Say something and go on."""

    kind: Literal["say"]
    text: Text


class ConfirmStep(Step):
    """Show what will be done and wait for an explicit yes; `action` names the tool it stands for."""

    kind: Literal["confirm"]
    action: ToolName
    summary: Text
    ask: Text
    declined: Name

    def targets(self) -> Iterator[Name]:
        yield self.declined


class ApproveStep(Step):
    """Ask somebody entitled to decide; goes on once granted.

    `approvers` is a role, a group or a person; `hours` is how long they have, if not as long as is usual here.
    """

    kind: Literal["approve"]
    action: ToolName
    approvers: Text
    hours: float | None = Field(default=None, gt=0, le=8760)
    summary: Text
    text: Text
    denied: Name

    def targets(self) -> Iterator[Name]:
        yield self.denied


class AnswerStep(Step):
    """Answer from a document's section, list rows of a table or of a list, or look for what answers a question."""

    kind: Literal["answer"]
    text: Text | None = None
    document: str | None = None
    section: str | None = None
    table: Name | None = None
    rows: Text | None = None
    question: Text | None = None
    base: str | None = None
    where: Rule | None = None
    label: Text | None = None
    empty: Name | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> "AnswerStep":
        sources = (self.table, self.rows, self.document, self.question)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("needs exactly one of document, table, rows and question")
        if self.document is not None and self.section is None:
            raise ValueError("needs the section of the document")
        if (self.table is not None or self.rows is not None) and self.label is None:
            raise ValueError("needs a label for the rows")
        return self

    def targets(self) -> Iterator[Name]:
        if self.empty:
            yield self.empty


class HandoffStep(Step):
    """Give the conversation to a person."""

    kind: Literal["handoff"]
    text: Text | None = None


class EndStep(Step):
    """End the flow; `record` is what to tell somebody who asks for the same again."""

    kind: Literal["end"]
    text: Text | None = None
    record: Text | None = None


AnyStep = Annotated[
    CollectStep
    | ChooseStep
    | CallStep
    | DecideStep
    | SayStep
    | ConfirmStep
    | ApproveStep
    | AnswerStep
    | HandoffStep
    | EndStep,
    Field(discriminator="kind"),
]


def texts_of(step: Step) -> Iterator[tuple[str, Template]]:
    """Yield every template of `step` with the field it stands in."""
    for field, value in _fields(step):
        if isinstance(value, Template):
            yield field, value


def rules_of(step: Step) -> Iterator[tuple[str, Expression]]:
    """Yield every expression of `step` with the field it stands in."""
    for field, value in _fields(step):
        if isinstance(value, Expression):
            yield field, value
    if isinstance(step, DecideStep):
        yield from ((f"set.{part.slot}", part.value) for part in step.set)
        yield from (("cases", case.when) for case in step.cases)


def _fields(step: Step) -> Iterator[tuple[str, Any]]:
    for field in type(step).model_fields:
        yield from _inside(field, getattr(step, field))


def _inside(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Record):
        value = value.fields
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _inside(f"{place}.{key}", item)
    else:
        yield place, value
