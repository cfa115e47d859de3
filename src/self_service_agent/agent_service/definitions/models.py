"""An agent's definition: what it can do, with which tools, tables and documents, and in which words."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from .patterns import checked_pattern, found
from .steps import AnyStep, ApproveStep, ConfirmStep, EndStep, HandoffStep, Name, Part, Step, Text, ToolName
from .texts import Texts

BaseName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
AgentId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
Pattern = Annotated[str, StringConstraints(max_length=200), AfterValidator(checked_pattern)]
Scalar = str | int | float | bool | None


class Tool(Part):
    """A tool as the agent uses it; `requires` are the fields its answer must carry to count as one."""

    effect: Literal["read", "write"]
    reconcile: ToolName | None = None
    key_argument: Name | None = None
    requires: tuple[str, ...] = ()
    timeout_seconds: float = Field(default=30, gt=0, le=300)


class Table(Part):
    """Rows of facts, found by the column `key`."""

    key: Name
    rows: tuple[dict[Name, Scalar], ...] = Field(min_length=1)

    @cached_property
    def by_key(self) -> Mapping[Any, Mapping[str, Any]]:
        """The rows by their key."""
        return {row[self.key]: row for row in self.rows}


@dataclass(frozen=True)
class Section:
    """A passage of a document: its heading, its text, and where that text stands."""

    heading: str
    text: str
    start: int
    end: int


class Document(Part):
    """A text that questions are answered from; `questions` are examples of what each heading answers."""

    title: str
    text: str
    questions: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @cached_property
    def sections(self) -> Mapping[str, Section]:
        """The passages under the document's `## headings`."""
        return {section.heading: section for section in _sections(self.text)}


def _sections(text: str) -> Iterator[Section]:
    headings = list(re.finditer(r"^## (.+)$", text, re.MULTILINE))
    ends = [*(match.start() for match in headings[1:]), len(text)]
    for match, limit in zip(headings, ends, strict=True):
        body = text[match.end() : limit]
        start = match.end() + len(body) - len(body.lstrip())
        passage = body.strip()
        yield Section(match.group(1).strip(), passage, start, start + len(passage))


class Slot(Part):
    """A value that a flow works with; `words` are what people call it when they correct it.

    A `pattern` is searched in what people write, whatever its case, and what it finds is the value.
    """

    type: Literal["text", "email", "date", "number", "record"] = "text"
    words: tuple[str, ...] = ()
    min_length: int = 1
    max_length: int = Field(default=4000, ge=1)
    pattern: Pattern | None = None

    def read(self, value: Any) -> Any:
        """Return the value as the slot keeps it, or None if it does not fit."""
        if self.pattern is not None:
            value = found(self.pattern, str(value)) or ""
        return value if self.min_length <= len(str(value)) <= self.max_length else None


class Flow(Part):
    """One thing the agent can do, step by step; `repeat: ask` keeps a finished one from running again unasked.

    Who asks how things stand while nothing is in progress, in words that have the pattern `hears`, is answered by it.
    """

    title: str
    examples: tuple[str, ...] = Field(min_length=1)
    repeat: Literal["allow", "ask"] = "allow"
    hears: Pattern | None = None
    slots: dict[Name, Slot] = Field(default_factory=dict)
    steps: tuple[AnyStep, ...] = Field(min_length=1)

    @cached_property
    def by_id(self) -> Mapping[str, AnyStep]:
        """The steps by their id."""
        return {step.id: step for step in self.steps}

    @cached_property
    def _below(self) -> Mapping[str, str]:
        return dict(pairwise(step.id for step in self.steps))

    def is_asked(self, text: str) -> bool:
        """Tell whether a question about how things stand is one for this flow."""
        return self.hears is not None and found(self.hears, text) is not None

    def after(self, step: Step) -> str | None:
        """Return the step that follows `step` when nothing sends the flow elsewhere."""
        if isinstance(step, EndStep | HandoffStep):
            return None
        return step.next or self._below.get(step.id)

    def ways_on(self, step: Step, *, not_past: str | None = None) -> Iterator[str]:
        """Yield where the flow can go from `step`, but not past a yes to, or an approval of, `not_past`."""
        yield from step.targets()
        onward = self.after(step)
        gated = isinstance(step, ConfirmStep | ApproveStep) and step.action == not_past
        if onward is not None and not gated:
            yield onward


class AgentDefinition(Part):
    """Everything that makes one agent behave as it does; two with the same digest behave alike."""

    id: AgentId
    version: str
    name: str
    summary: str
    say: Text | None = None
    manner: Literal["usual", "plan", "research"] = "usual"
    routes: tuple[AgentId, ...] = ()
    synonyms: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    texts: Texts = Texts()
    tools: dict[ToolName, Tool] = Field(default_factory=dict)
    tables: dict[Name, Table] = Field(default_factory=dict)
    knowledge: dict[str, Document] = Field(default_factory=dict)
    bases: tuple[BaseName, ...] = ()
    flows: dict[Name, Flow] = Field(default_factory=dict)

    @cached_property
    def body(self) -> str:
        """The canonical JSON of the definition and of all its tables and documents."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of `body`, in hex."""
        return hashlib.sha256(self.body.encode()).hexdigest()

    @cached_property
    def tables_by_key(self) -> Mapping[str, Mapping[Any, Mapping[str, Any]]]:
        """Every table, ready for look-ups."""
        return {name: table.by_key for name, table in self.tables.items()}

    @property
    def only_echoes(self) -> bool:
        """Whether the agent answers with one fixed text and has nothing to understand."""
        return self.say is not None and not self.flows and not self.routes
