"""What a turn works with: the conversation, the definitions that apply to it, and what has been said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from self_service_agent.agent_service.definitions.expressions import Expression, Scope
from self_service_agent.agent_service.definitions.loader import Definitions
from self_service_agent.agent_service.definitions.models import AgentDefinition, Flow
from self_service_agent.agent_service.definitions.templates import Template
from self_service_agent.agent_service.definitions.texts import Texts
from self_service_agent.agent_service.understanding.catalogue import Catalogue, PassageEntry
from self_service_agent.kit.ids import derived_id

from .dialogue import Dialogue, Frame, Question
from .questions import PendingQuestion
from .tools import PendingCall
from .turns import Transcript, TurnInput


class DefinitionGone(Exception):
    """The definition that a flow in progress is pinned to is not at hand."""


@dataclass
class Stage:
    """One turn in progress. Steps, answers and repairs speak, ask and move through it."""

    turn: TurnInput
    content: str
    definitions: Definitions
    catalogues: Mapping[str, Catalogue]
    dialogue: Dialogue
    transcript: Transcript
    pending: Question | None = None
    call: PendingCall | None = None
    waited_for: frozenset[str] = frozenset()
    question: PendingQuestion | None = None
    was_with_a_person: bool = False

    @property
    def home(self) -> AgentDefinition:
        """The agent that hears whatever belongs to no flow."""
        return self.definitions.current(self.dialogue.home) or self.definitions.default

    @property
    def catalogue(self) -> Catalogue:
        """What can be asked of that agent."""
        return self.catalogues[self.home.id]

    def listeners(self) -> list[AgentDefinition]:
        """Return the agents that a question is for: the one that hears it, those it routes to, and the flow's own."""
        routed = (self.definitions.current(agent_id) for agent_id in self.home.routes)
        frame = self.dialogue.top
        agents = [self.home, *(agent for agent in routed if agent), *([self.definition_of(frame)] if frame else [])]
        return list({agent.digest: agent for agent in agents}.values())

    @property
    def texts(self) -> Texts:
        """The words of the agent that has the word."""
        frame = self.dialogue.top
        return self.definition_of(frame).texts if frame else self.home.texts

    def definition_of(self, frame: Frame) -> AgentDefinition:
        """Return the definition that `frame` is pinned to."""
        current = self.definitions.by_digest(frame.digest)
        if current is not None:
            return current
        pinned = self.turn.pinned
        if pinned is not None and pinned.digest == frame.digest:
            return pinned
        if frame.digest not in self.turn.kept:
            raise DefinitionGone(frame.digest)
        return self.turn.kept[frame.digest]

    def flow_of(self, frame: Frame) -> Flow:
        """Return the flow that `frame` is in."""
        return self.definition_of(frame).flows[frame.flow]

    def names(self, frame: Frame | None, **more: Any) -> Mapping[str, Any]:
        """Return every name that a text or expression of `frame` may use."""
        turn = self.turn
        user = {"id": turn.user_id, "email": turn.user_email, "login": turn.user_login}
        return {**(frame.slots if frame else {}), "user": user, **more}

    def evaluate(self, rule: Expression, frame: Frame, **more: Any) -> Any:
        """Return the value of an expression of `frame`'s definition."""
        tables = self.definition_of(frame).tables_by_key
        return rule.evaluate(Scope(self.names(frame, **more), tables, self.turn.now.date()))

    def say(self, text: str) -> None:
        """Add `text` to the reply, as the agent that has the word."""
        frame = self.dialogue.top
        self.transcript.speaker = self.definition_of(frame) if frame else self.home
        self.transcript.replies.append(text)

    def say_system(self, template: Template, **values: Any) -> None:
        """Add one of the inherited sentences to the reply."""
        named = {"name": self.home.name, "abilities": self._abilities(), **values}
        self.say(template.render({name: named[name] for name in template.names}))

    def say_step(self, template: Template, frame: Frame) -> None:
        """Add a sentence of a step to the reply."""
        self.say(template.render(self.names(frame)))

    def cite(self, entry: PassageEntry) -> None:
        """Add a passage to the reply, and its place to the citations."""
        section = entry.section
        self.say(f"{section.text}\n(Source: {entry.title}, {section.heading})")
        span = [section.start, section.end]
        place = {"document": entry.document_id, "title": entry.title, "heading": section.heading}
        self.transcript.citations.append({**place, "span": span, "text": section.text})

    def ask(self, question: Question) -> None:
        """End the reply with a question, and wait."""
        frame = self.dialogue.top
        self.transcript.speaker = self.definition_of(frame) if frame else self.home
        self.dialogue.question = question

    def key_of(self, frame: Frame) -> str:
        """Return the key of the decision that `frame` stands at: the same however often the turn is repeated."""
        return derived_id(frame.instance, f"{frame.flow}.{frame.step}#{frame.visits[frame.step]}")

    def _abilities(self) -> str:
        return "\n".join(f"- {entry.title}" for entry in self.catalogue.flows)
