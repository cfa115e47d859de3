"""The simulated person: decides what to do next from an answer's envelope, and never reads its sentences."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from .phrases import PhraseBank, put
from .scenarios import Deviation, Fault, Scenario, Verdict, When

_TRIES = 3
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the person takes in of an answer: the turn envelope."""

    expects: str = "nothing"
    choices: tuple[Mapping[str, str], ...] = ()
    confirms: str | None = None
    mode: str = "agent"
    flow: str | None = None
    step: str | None = None

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> "Seen":
        """Read the envelope as far as it is there; an answer without one expects nothing."""
        pending = metadata.get("pending_confirmation") or {}
        return cls(
            expects=metadata.get("expects") or "nothing",
            choices=tuple(metadata.get("choices") or ()),
            confirms=pending.get("action"),
            mode=metadata.get("mode") or "agent",
            flow=metadata.get("flow"),
            step=metadata.get("step"),
        )


@dataclass(frozen=True, kw_only=True)
class Move:
    """What the person does next: says something, or waits for somebody else's decision."""

    act: str
    says: str = ""
    together: str | None = None
    twice: bool = False
    door: Literal["web", "cli"] | None = None
    expire: bool = False
    fault: Fault | None = None
    decides: Verdict | None = None


@dataclass
class SimulatedPerson:
    """One person in one conversation."""

    scenario: Scenario
    phrases: PhraseBank
    rng: Random
    places: Mapping[str, str] = field(default_factory=dict)
    turns: int = 0
    _done: set[int] = field(default_factory=set)
    _visits: dict[str, int] = field(default_factory=dict)
    _goals: list[str] = field(default_factory=list)
    _changed: dict[str, Any] = field(default_factory=dict)
    _has_decided: bool = False
    _has_begun: bool = False
    _said: list[str] = field(default_factory=list)

    def first_move(self) -> Move:
        """Return the words that open the conversation."""
        self._goals = list(self.scenario.then)
        self.turns = 1
        opening = self._deviation(Seen(), opening=True)
        if opening is not None:
            return self._deviating(opening, Seen())
        return Move(act=self.scenario.opens, says=self._opening())

    def next_move(self, seen: Seen) -> Move | None:
        """Return what to do after an answer with this envelope, or None to leave."""
        self.turns += 1
        self._has_begun = self._has_begun or (seen.flow is not None and seen.flow == self.scenario.flow)
        if self.turns > self.scenario.patience:
            return None
        deviation = self._deviation(seen)
        if deviation is not None:
            return self._deviating(deviation, seen)
        return self._answer(seen)

    def _answer(self, seen: Seen) -> Move | None:
        if seen.mode == "human":
            return None
        if None not in {seen.flow, self.scenario.flow} and seen.flow != self.scenario.flow:
            return Move(act="cancel", says=self._words("cancel"))  # this is not what was asked for
        return self._answers[seen.expects](seen) if seen.expects in self._answers else self._next_goal()

    @property
    def _answers(self) -> Mapping[str, Callable[[Seen], Move | None]]:
        return {
            "choice": self._choice,
            "confirmation": self._confirmation,
            "text": self._text,
            "approval": self._approval,
        }

    def _next_goal(self) -> Move | None:
        """Say the wish in other words as long as it was not understood, then go on to the next one, or leave."""
        if self.scenario.flow is not None and not self._has_begun:
            return Move(act="again", says=self._opening()) if len(self._said) <= _TRIES else None
        if not self._goals:
            return None
        goal = self._goals.pop(0)
        return Move(act=goal, says=put(self._words(goal), self.scenario.manner, self.rng))

    def _opening(self) -> str:
        """Return the wish in words that were not used before; what else was said with it (`+`) is not said again."""
        act = self.scenario.opens if not self._said else self.scenario.opens.partition("+")[0]
        words = self.phrases.say_anew(act, self.rng, self._said)
        self._said.append(words)
        return put(words, self.scenario.manner if len(self._said) == 1 else "plain", self.rng)

    def _confirmation(self, seen: Seen) -> Move:
        wanted = self._wanted(seen.step, default="yes")
        act = {True: "yes", False: "no"}.get(wanted, str(wanted)) if isinstance(wanted, bool) else str(wanted)
        return Move(act=act, says=self._words(act))

    def _text(self, seen: Seen) -> Move:
        wanted = self._wanted(seen.step, default="it is needed for my daily work")
        return Move(act="tell", says=self._words(str(wanted)))

    def _approval(self, _: Seen) -> Move | None:
        if self.scenario.approval is None or self._has_decided:
            return None
        self._has_decided = True
        return Move(act="approval", decides=self.scenario.approval)

    def _choice(self, seen: Seen) -> Move:
        ids = [choice["id"] for choice in seen.choices]
        if "retry" in ids or {"human", "stop"} <= set(ids):
            return self._after_failure(ids, seen)
        if "else" in ids:
            return self._among_guesses(ids, seen)
        if "leave" in ids:
            return self._choose("leave", seen)
        wanted = self._wanted(seen.step, default=ids[0] if ids else "")
        return self._choose(str(wanted), seen)

    def _after_failure(self, ids: Sequence[str], seen: Seen) -> Move:
        visit = self._visits["failure"] = self._visits.get("failure", 0) + 1
        wanted = self.scenario.on_failure if visit <= _TRIES else "stop"
        return self._choose(wanted if wanted in ids else "stop", seen)

    def _among_guesses(self, ids: Sequence[str], seen: Seen) -> Move:
        """Pick the goal where it is offered; else say it in other words, and after some tries ask for a person."""
        visit = self._visits["unsure"] = self._visits.get("unsure", 0) + 1
        goal = f"flow:{self.scenario.agent}/{self.scenario.flow}"
        if goal in ids:
            return self._choose(goal, seen)
        if self.scenario.flow is None and not self.phrases.has(self.scenario.opens):
            return self._choose("else", seen)
        if visit > _TRIES:
            return Move(act="human", says=self._words("human"))
        return Move(act="again", says=self._opening())

    def _choose(self, wanted: str, seen: Seen) -> Move:
        """Name a choice: by its number, or by its id while both are equally clear."""
        ids = [choice["id"] for choice in seen.choices]
        if wanted not in ids:
            return Move(act="choose", says=self._words(wanted))
        place = ids.index(wanted)
        ordinal = _ORDINALS[place] if place < len(_ORDINALS) else str(place + 1)
        label = seen.choices[place]["label"]
        name = label.partition(" (")[0].partition(",")[0].partition(":")[0]
        act = "choose" if seen.step and ":" not in wanted else "choose-by-number"
        return Move(
            act="choose",
            says=self.phrases.say(act, self.rng, number=str(place + 1), ordinal=ordinal, id=wanted, name=name),
        )

    def _wanted(self, step: str | None, *, default: Any) -> Any:
        """Return what the person answers at `step`; a list is one answer for each visit."""
        wanted = self._changed.get(step or "", self.scenario.answers.get(step or "", default))
        if isinstance(wanted, list | tuple):
            visit = self._visits[step or ""] = self._visits.get(step or "", 0) + 1
            return wanted[min(visit, len(wanted)) - 1]
        return wanted

    def _deviation(self, seen: Seen, *, opening: bool = False) -> Deviation | None:
        for number, deviation in enumerate(self.scenario.deviations):
            if number in self._done or not fits(deviation.when, seen, turn=self.turns):
                continue
            if opening != (deviation.when.turn == 1):
                continue
            if self.scenario.flow is not None and not (self._has_begun or deviation.when.turn):
                continue  # a menu of guesses is no step of the flow yet
            self._done.add(number)
            return deviation
        return None

    def _deviating(self, deviation: Deviation, seen: Seen) -> Move:
        self._changed |= deviation.answers
        return Move(
            act=deviation.act or "deviate",
            says=self._deviant_words(deviation, seen),
            together=None if deviation.together is None else self._words(deviation.together),
            twice=deviation.twice,
            door=deviation.door,
            expire=deviation.expire,
            fault=deviation.fault,
        )

    def _deviant_words(self, deviation: Deviation, seen: Seen) -> str:
        """Return what is said; a deviation without words of its own says the usual thing in an unusual way."""
        if deviation.choose is not None:
            return self._choose(deviation.choose, seen).says
        if deviation.act is not None or deviation.says is not None:
            return self._words(deviation.act or deviation.says or "")
        usual = self._answer(seen) if self._said else None
        return usual.says if usual else self._opening()

    def _words(self, act: str) -> str:
        return self.phrases.say(act, self.rng, **self.places)


def fits(when: When, seen: Seen, *, turn: int) -> bool:
    """Say whether a moment is the one that `when` describes."""
    pairs = (
        (when.expects, seen.expects),
        (when.step, seen.step),
        (when.flow, seen.flow),
        (when.mode, seen.mode),
        (when.turn, turn),
    )
    return all(wanted is None or wanted == found for wanted, found in pairs)
