"""How well messages are understood: what people might write, what it should lead to, and what the rules make of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import yaml

from self_service_agent.agent_service.definitions.loader import Definitions
from self_service_agent.agent_service.embedding.embedder import Embedder
from self_service_agent.agent_service.understanding.catalogue import Catalogue, catalogue_of
from self_service_agent.agent_service.understanding.commands import (
    AskKnowledge,
    CannotHandle,
    Command,
    ForSomeone,
    Human,
    StartFlow,
)
from self_service_agent.agent_service.understanding.context import Understanding, UnderstandingContext
from self_service_agent.agent_service.understanding.rules import RulesUnderstander

OUTCOMES = ("right", "asked", "wrong flow", "wrong agent", "refused")
Outcome = Literal["right", "asked", "wrong flow", "wrong agent", "refused"]
MOST_WRONG = 0.05
FEWEST_HELPED = 0.85
_TODAY = date(2026, 11, 20)
_PERSON = "helpdesk-agent/report_problem"
"""Reporting a problem ends with a person, and so is right for who wants one."""


@dataclass(frozen=True)
class Utterance:
    """What somebody might write, and what it should lead to: a flow, a document, a person or nothing."""

    family: str
    text: str
    wanted: str


@dataclass(frozen=True)
class Reading:
    """What became of an utterance, and how it was found out."""

    utterance: Utterance
    outcome: Outcome
    got: str


def load_utterances(folder: Path) -> tuple[Utterance, ...]:
    """Return the utterances of every file in `folder`."""
    return tuple(utterance for path in sorted(folder.glob("*.yaml")) for utterance in _in_file(path))


def _in_file(path: Path) -> Iterator[Utterance]:
    content = yaml.safe_load(path.read_text("utf-8"))
    for wanted, texts in content["utterances"].items():
        yield from (Utterance(content["family"], text, wanted) for text in texts)


async def read_all(
    utterances: Sequence[Utterance], definitions: Definitions, embedder: Embedder | None
) -> list[Reading]:
    """Return what the rules make of each utterance, said at the beginning of a conversation."""
    catalogue = catalogue_of(definitions.default, definitions)
    context = UnderstandingContext(catalogue=catalogue, today=_TODAY)
    owners = {document: agent.id for agent in definitions for document in agent.knowledge}
    titles = {name: document.title for agent in definitions for name, document in agent.knowledge.items()}
    judge = _Judge(catalogue, owners, titles).judge
    if embedder is None:
        words = RulesUnderstander()
        return [judge(each, await words.understand(each.text, context)) for each in utterances]
    from self_service_agent.agent_service.understanding.meaning import Meanings  # noqa: PLC0415  # of an extra

    meanings = Meanings(embedder)
    async with meanings.running():
        await meanings.prepare(catalogue)
        rules = RulesUnderstander(meanings)
        return [judge(each, await rules.understand(each.text, context)) for each in utterances]


def counted(readings: Sequence[Reading], *, out_of_scope: bool) -> dict[str, float]:
    """Return the share of each outcome among utterances that somebody here can help with, or among all others."""
    chosen = [each.outcome for each in readings if (each.utterance.wanted == "none") is out_of_scope]
    counts: Counter[str] = Counter(chosen)
    return {outcome: counts[outcome] / max(len(chosen), 1) for outcome in OUTCOMES}


def reaches_goals(readings: Sequence[Reading]) -> bool:
    """Tell whether few enough reach the wrong agent, enough are helped on, and hardly anything is forced."""
    known, others = counted(readings, out_of_scope=False), counted(readings, out_of_scope=True)
    helped = known["right"] + known["asked"]
    return (
        known["wrong agent"] <= MOST_WRONG
        and others["wrong agent"] + others["wrong flow"] <= MOST_WRONG
        and helped >= FEWEST_HELPED
    )


@dataclass(frozen=True)
class _Judge:
    """Compares what came out with what was wanted; `owners` and `titles` are those of documents."""

    catalogue: Catalogue
    owners: Mapping[str, str]
    titles: Mapping[str, str]

    def judge(self, utterance: Utterance, understanding: Understanding) -> Reading:
        command = understanding.commands[0]
        best = understanding.guesses[0].name if understanding.guesses else ""
        got = self._led_to(command, best)
        if isinstance(command, CannotHandle):
            return Reading(utterance, _when_unsure(set(map(self._offered, command.guesses)), utterance.wanted), got)
        return Reading(utterance, self._when_sure(got, utterance.wanted), got)

    def _when_sure(self, got: str, wanted: str) -> Outcome:
        if got == wanted or (wanted == "person" and got == _PERSON):
            return "right"
        return "wrong flow" if self._agent(got) == self._agent(wanted) else "wrong agent"

    def _led_to(self, command: Command, best: str) -> str:
        """Return what `command` leads to, in the words of the files."""
        match command:
            case StartFlow():
                return f"{command.agent_id}/{command.flow}"
            case ForSomeone():
                return f"{command.wish.agent_id}/{command.wish.flow}"
            case AskKnowledge():
                passage = self.catalogue.passage(command.question, at_least=0)
                return f"document:{best.partition('#')[0] if '#' in best else passage.document_id if passage else ''}"
            case Human():
                return "person"
        return type(command).__name__

    def _offered(self, guess: StartFlow | AskKnowledge) -> str:
        if isinstance(guess, StartFlow):
            return f"{guess.agent_id}/{guess.flow}"
        title = guess.question.partition(":")[0]
        return next((f"document:{name}" for name, known in self.titles.items() if known == title), "")

    def _agent(self, name: str) -> str:
        """Return who would answer: the agent of a flow, or the one whose document it is."""
        kind, _, document = name.partition(":")
        return self.owners.get(document, name) if kind == "document" else name.partition("/")[0]


def _when_unsure(offered: set[str], wanted: str) -> Outcome:
    """Asking is right where the right one is offered; every list offers a person, and a way out of it."""
    return "asked" if wanted in offered or (offered and wanted in {"person", "none"}) else "refused"
