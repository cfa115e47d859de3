"""What can be asked of an agent: the flows it may start and the passages it may quote, ready to be searched."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from self_service_agent.agent_service.definitions.loader import Definitions
from self_service_agent.agent_service.definitions.models import AgentDefinition, Section
from self_service_agent.agent_service.definitions.steps import ChooseStep

from .lexicon import Lexicon, Match


@dataclass(frozen=True)
class FlowEntry:
    """A flow that a message can start."""

    agent_id: str
    flow: str
    title: str


@dataclass(frozen=True)
class PassageEntry:
    """A passage that a question can be answered with."""

    document_id: str
    title: str
    section: Section


Entry = FlowEntry | PassageEntry


class Catalogue:
    """The abilities of one agent together with those of the agents it routes to; made once per definition set."""

    def __init__(self, agents: Sequence[AgentDefinition]) -> None:
        self.flows = tuple(_flows(agents))
        self.examples: tuple[tuple[Entry, str], ...] = (*_flow_examples(agents), *_questions(agents))
        self._offered = _offered(agents)
        synonyms = _synonyms(agents)
        self._everything: Lexicon[Entry] = Lexicon(self.examples, synonyms)
        self._passages: Lexicon[Entry] = Lexicon([*_questions(agents), *_sentences(agents)], synonyms)

    @cached_property
    def digest(self) -> str:
        """What tells catalogues with other examples apart."""
        written = "\n".join(f"{entry!r}\t{text!r}" for entry, text in self.examples)
        return hashlib.sha256(written.encode()).hexdigest()

    def matches(self, text: str) -> list[Match[Entry]]:
        """Return the flows and passages whose examples are like `text`, the most alike first."""
        return self._everything.matches(text)

    def exemplified(self, question: str, *, at_least: float) -> PassageEntry | None:
        """Return the passage that has an example like `question`, if that is more alike than any other example."""
        match = next(iter(self._everything.matches(question)), None)
        if match is None or match.score < at_least or not isinstance(match.label, PassageEntry):
            return None
        return match.label

    def passage(self, question: str, *, at_least: float) -> PassageEntry | None:
        """Return the passage that answers `question`, or None if none fits well enough."""
        for match in self._passages.matches(question):
            if isinstance(match.label, PassageEntry) and match.score >= at_least:
                return match.label
        return None

    def flow_offering(self, name: str) -> FlowEntry | None:
        """Return the one flow that offers a thing of this name, in lower case, as the first thing to be chosen."""
        return self._offered.get(name)

    def title(self, agent_id: str, flow: str) -> str:
        """Return what a flow is called, in the words of its definition."""
        return next((entry.title for entry in self.flows if (entry.agent_id, entry.flow) == (agent_id, flow)), flow)


def catalogue_of(agent: AgentDefinition, definitions: Definitions) -> Catalogue:
    """Return what can be asked of `agent`."""
    others = (definitions.current(agent_id) for agent_id in agent.routes)
    return Catalogue([agent, *(other for other in others if other is not None)])


def _flows(agents: Sequence[AgentDefinition]) -> Iterator[FlowEntry]:
    for agent in agents:
        for name, flow in agent.flows.items():
            yield FlowEntry(agent.id, name, flow.title)


def _flow_examples(agents: Sequence[AgentDefinition]) -> Iterator[tuple[Entry, str]]:
    for agent in agents:
        for name, flow in agent.flows.items():
            entry = FlowEntry(agent.id, name, flow.title)
            yield from ((entry, example) for example in (flow.title, *flow.examples))


def _offered(agents: Sequence[AgentDefinition]) -> Mapping[str, FlowEntry]:
    """Return the flows by the names of what they offer; a name that several flows have stands for none."""
    found: dict[str, set[FlowEntry]] = {}
    for agent in agents:
        for flow_id, flow in agent.flows.items():
            step = next((step for step in flow.steps if isinstance(step, ChooseStep) and step.table), None)
            if step is None or step.table is None or not step.names:
                continue
            for row in agent.tables[step.table].rows:
                name = str(row.get(step.names[0], "")).lower()
                found.setdefault(name, set()).add(FlowEntry(agent.id, flow_id, flow.title))
    return {name: flows.pop() for name, flows in found.items() if name and len(flows) == 1}


def _questions(agents: Sequence[AgentDefinition]) -> Iterator[tuple[Entry, str]]:
    for entry in _passages(agents):
        document = next(agent.knowledge[entry.document_id] for agent in agents if entry.document_id in agent.knowledge)
        yield from ((entry, question) for question in document.questions.get(entry.section.heading, ()))


def _sentences(agents: Sequence[AgentDefinition]) -> Iterator[tuple[Entry, str]]:
    for entry in _passages(agents):
        yield entry, entry.section.heading
        yield from ((entry, sentence) for sentence in entry.section.text.split(". "))


def _passages(agents: Sequence[AgentDefinition]) -> Iterator[PassageEntry]:
    for agent in agents:
        for document_id, document in agent.knowledge.items():
            for section in document.sections.values():
                yield PassageEntry(document_id, document.title, section)


def _synonyms(agents: Sequence[AgentDefinition]) -> Mapping[str, tuple[str, ...]]:
    merged: dict[str, tuple[str, ...]] = {}
    for agent in agents:
        for word, others in agent.synonyms.items():
            merged[word] = (*merged.get(word, ()), *others)
    return merged
