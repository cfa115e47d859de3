"""Where a conversation stands: the flows in progress, the last question, and what is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from typing_extensions import TypedDict

from self_service_agent.agent_service.understanding.context import Choice, Expects

from .tools import FailureSort

Purpose = Literal["step", "failure", "unsure", "again"]


class Approved(TypedDict):
    """What was granted: the digest of the arguments it is good for, and how many answers had been given by then."""

    digest: str
    after: int


@dataclass
class Frame:
    """A flow in progress. `warrant` names the tool that the person's last explicit yes allows to write.

    `approved` is by tool what somebody entitled granted: the digest of its arguments, and after how many answers.
    """

    agent_id: str
    digest: str
    flow: str
    instance: str
    step: str
    slots: dict[str, Any] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    trail: list[str] = field(default_factory=list)
    warrant: str | None = None
    failure: FailureSort | None = None
    approved: dict[str, Approved] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The flow's name across agents."""
        return f"{self.agent_id}/{self.flow}"

    def move_to(self, step_id: str) -> None:
        """Arrive at a step; each arrival is a decision of its own."""
        self.step = step_id
        self.failure = None
        self.visits[step_id] = self.visits.get(step_id, 0) + 1

    def to_json(self) -> dict[str, Any]:
        return vars(self).copy()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Frame":
        frame = cls(**stored)
        frame.slots, frame.visits, frame.trail = dict(frame.slots), dict(frame.visits), list(frame.trail)
        frame.approved = dict(frame.approved)
        return frame


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the person was asked last."""

    purpose: Purpose
    expects: Expects
    text: str
    choices: tuple[Choice, ...] = ()
    slot: str | None = None
    slot_type: str = "text"
    action: str | None = None
    summary: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "choices": [[choice.id, choice.label, list(choice.names)] for choice in self.choices]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Question":
        choices = tuple(Choice(choice_id, label, tuple(names)) for choice_id, label, names in stored["choices"])
        return cls(**{**stored, "choices": choices})


@dataclass
class Dialogue:
    """The whole state between turns; it does not grow with the number of turns."""

    home: str
    stack: list[Frame] = field(default_factory=list)
    question: Question | None = None
    done: dict[str, str] = field(default_factory=dict)
    parked: list[Frame] = field(default_factory=list)
    mode: Literal["agent", "human"] = "agent"
    handed_over: str | None = None
    said: str = ""
    misses: int = 0

    @property
    def top(self) -> Frame | None:
        """The flow that has the word."""
        return self.stack[-1] if self.stack else None

    def to_json(self) -> dict[str, Any]:
        return {
            **vars(self),
            "stack": [frame.to_json() for frame in self.stack],
            "parked": [frame.to_json() for frame in self.parked],
            "question": self.question.to_json() if self.question else None,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Dialogue":
        dialogue = cls(**stored)
        dialogue.stack = [Frame.from_json(frame) for frame in stored["stack"]]
        dialogue.parked = [Frame.from_json(frame) for frame in stored["parked"]]
        dialogue.done = dict(stored["done"])
        question = stored["question"]
        dialogue.question = Question.from_json(question) if question else None
        return dialogue
