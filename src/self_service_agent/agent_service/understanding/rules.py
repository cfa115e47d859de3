"""The understander that works without a model: set phrases first, then likeness to the definition's examples."""

from typing import Protocol

from .catalogue import Catalogue, FlowEntry, PassageEntry
from .commands import (
    Approve,
    AskKnowledge,
    Cancel,
    CannotHandle,
    ChangeDone,
    Choose,
    Command,
    Deny,
    ForSomeone,
    Reset,
    SetSlot,
    StartFlow,
    Status,
    WhichOne,
)
from .context import Guess, Understanding, UnderstandingContext
from .corrections import read_correction
from .grammar import (
    TICKET_NUMBER,
    chat_command,
    is_about_an_order,
    is_approval,
    is_given_up,
    is_not_wanted,
    is_question,
    is_refused,
    politeness,
    set_phrase,
    starts_over,
    wished_thing,
    wishes_away,
    without_greeting,
    yes_or_no,
)
from .likeness import BY_MEANING, BY_WORDS, Matches, Ranking, fused
from .persons import named_person
from .readers import EMAIL, read_choice, read_several, read_value
from .waiting import asks_for_a_decision
from .words import tokens_of


class Likeness(Protocol):
    """Compares messages and examples by what they mean."""

    async def matches(self, text: str, catalogue: Catalogue) -> Matches | None:
        """Return how like each entry is, or None while that cannot be told."""
        ...


class RulesUnderstander:
    """Understands by rules; without `meanings`, and until they are ready, texts are compared by their words."""

    def __init__(self, meanings: Likeness | None = None) -> None:
        self._meanings = meanings

    async def understand(self, text: str, context: UnderstandingContext) -> Understanding:
        """Return what `text` means: a grammar decides where it can, likeness only where nothing is at stake."""
        found = read_by_grammar(text, context)
        if found is not None:
            return Understanding(commands=(found,), compared_by="grammar")
        plain = without_greeting(text)
        ranking = await self._ranking(plain, context)
        guesses = tuple(Guess(_name(match.label), round(match.score, 3)) for match in ranking.matches[:3])
        return Understanding(
            commands=(_by_likeness(plain, ranking, context),),
            guesses=guesses,
            compared_by="embeddings" if ranking.thresholds is BY_MEANING else "lexical",
        )

    async def _ranking(self, text: str, context: UnderstandingContext) -> Ranking:
        """Return what `text` may mean; whom a wish is for says nothing about the wish."""
        person = named_person(text)
        wish = EMAIL.sub(" ", text.replace(person, " ") if person else text)
        by_words = context.catalogue.matches(wish)
        by_meaning = await self._meanings.matches(wish, context.catalogue) if self._meanings is not None else None
        return Ranking(by_words, BY_WORDS) if by_meaning is None else fused(by_words, by_meaning)


def read_by_grammar(text: str, context: UnderstandingContext) -> Command | None:
    """Return what `text` means for certain at this point, or None if that is a matter of likeness."""
    return chat_command(text) or _by_grammar(text, context)


def _by_grammar(text: str, context: UnderstandingContext) -> Command | None:
    if (named := _pending_choice(text, context)) is not None:
        return named
    if (phrase := set_phrase(text) or _while_it_waits(text, context)) is not None:
        return phrase
    if (answer := yes_or_no(text)) is not None and context.expects != "text":
        return answer
    if (correction := read_correction(text, context)) is not None:
        return correction
    if (courtesy := politeness(text)) is not None:
        return courtesy
    found = _value(text, context) or _second_thoughts(text, context) or _named_wish(text, context)
    return Deny() if found is None and context.expects == "confirmation" and is_refused(text) else found


def _pending_choice(text: str, context: UnderstandingContext) -> Command | None:
    if context.expects != "choice":
        return None
    if (found := read_choice(text, context.choices)) is not None:
        return Choose(found.id)
    several = read_several(text, context.choices)
    return WhichOne(tuple(choice.id for choice in several)) if several else None


def _while_it_waits(text: str, context: UnderstandingContext) -> Status | None:
    return Status() if context.expects == "approval" and asks_for_a_decision(text) else None


def _named_wish(text: str, context: UnderstandingContext) -> StartFlow | None:
    """Read a wish for something by its name, such as a piece of software, while nothing else is in progress."""
    entry = context.catalogue.flow_offering(wished_thing(text)) if context.expects == "nothing" else None
    return StartFlow(entry.agent_id, entry.flow) if entry is not None and not is_question(text) else None


def _second_thoughts(text: str, context: UnderstandingContext) -> Command | None:
    """Read what takes back a wish: one that is in progress, or one that is already done."""
    if context.mode != "human" and starts_over(text):
        return Reset()
    if context.expects in {"approval", "nothing"} and is_approval(text):
        return Approve()
    if is_not_wanted(text) if context.expects == "nothing" else _gives_up(text, context):
        return Cancel()
    return ChangeDone() if is_about_an_order(text) else None


def _gives_up(text: str, context: UnderstandingContext) -> bool:
    """Tell giving up from turning down one of the things that are offered."""
    offered = (*context.choices, *(choice for candidate in context.corrections for choice in candidate.choices))
    names = set(tokens_of(" ".join(name for choice in offered for name in choice.names)))
    return is_given_up(text) and not names & set(tokens_of(text))


def _value(text: str, context: UnderstandingContext) -> Command | None:
    """Read the value that was asked for; a question about the documents is answered first."""
    if context.expects != "text" or context.slot is None:
        return None
    if is_question(text) and (match := context.catalogue.matches(text)) and match[0].score >= BY_WORDS.sure:
        return None
    value = read_value(text, slot_type=context.slot_type, today=context.today)
    return SetSlot(context.slot, value) if value is not None else CannotHandle()


def _by_likeness(text: str, ranking: Ranking, context: UnderstandingContext) -> Command:
    person = named_person(text)
    best = ranking.best
    if person and ranking.wish is not None:
        return ForSomeone(person, ranking.wish)
    if best is not None and not (isinstance(best, FlowEntry) and wishes_away(text)):
        return _command_for(best, text)
    if TICKET_NUMBER.search(text):
        return Status()
    if is_question(text) and context.catalogue.passage(text, at_least=BY_WORDS.sure):
        return AskKnowledge(text)
    return CannotHandle(ranking.offers)


def _command_for(entry: FlowEntry | PassageEntry, text: str) -> StartFlow | AskKnowledge:
    if isinstance(entry, FlowEntry):
        return StartFlow(entry.agent_id, entry.flow)
    return AskKnowledge(text)


def _name(entry: FlowEntry | PassageEntry) -> str:
    if isinstance(entry, FlowEntry):
        return f"{entry.agent_id}/{entry.flow}"
    return f"{entry.document_id}#{entry.section.heading}"
