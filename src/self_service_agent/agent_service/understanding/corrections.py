"""Reads what takes back an earlier answer: by its name, or by what it shall be instead."""

import re

from .commands import Correct
from .context import Correctable, UnderstandingContext
from .grammar import is_question, normal
from .readers import EXACT_TYPES, read_choice, read_several, read_value
from .words import tokens_of

_LEAD = re.compile(r"^(?:(?:yes|no|nope|ok|okay|sorry|actually|wait|oh|well|hm+)[\s,.!]+)+", re.IGNORECASE)
_TAKES_BACK = re.compile(
    r"(?:(?:oh|well|hm+|ah|ok|okay|oops)[\s,.!]+)*"
    r"(?:no|nope|wait|sorry|oops|actually|rather|i meant?|correction|change|make (?:it|that)|it (?:should|must) be)\b",
    re.IGNORECASE,
)
_LONGEST_CORRECTION = 12
_CHANGE = frozenset(tokens_of("change instead actually rather different another other switch correct wrong meant but"))
_ANOTHER = re.compile(
    r"(?:(?:i want|i meant|i'd like|i take|take|make it|rather|give me) )*(?:the other|another|a different)"
    r"(?: (?:one|model|option|choice))?(?: (?:please|instead|then))*"
)


def read_correction(text: str, context: UnderstandingContext) -> Correct | None:
    """Read a correction: a cue word together with a slot's name, or another choice of a slot by its name."""
    said = set(tokens_of(text))
    wants_change = bool(said & _CHANGE)
    if wants_change or context.expects == "confirmation":
        for candidate in reversed(context.corrections):
            if (other := _other_choice(text, candidate, context)) is not None:
                return other
    if (other := _other_value(text, context)) is not None:
        return other
    for candidate in reversed(context.corrections):
        if wants_change and said & set(tokens_of(" ".join(candidate.words))) and not is_question(text):
            return Correct(candidate.slot)
    return None


def _other_value(text: str, context: UnderstandingContext) -> Correct | None:
    """Read the value that an earlier answer of an exact type shall be; what is asked for now goes before it."""
    if is_question(text) or len(text.split()) > _LONGEST_CORRECTION:
        return None
    for candidate in reversed(context.corrections):
        is_taken_back = _TAKES_BACK.match(text) or (
            context.expects == "confirmation" and candidate.slot_type == "email"
        )
        is_asked_for = context.expects == "text" and candidate.slot_type == context.slot_type
        if candidate.slot_type not in EXACT_TYPES or not is_taken_back or is_asked_for:
            continue
        value = read_value(text, slot_type=candidate.slot_type, today=context.today)
        if value is not None:
            return Correct(candidate.slot, value=value)
    return None


def _other_choice(text: str, candidate: Correctable, context: UnderstandingContext) -> Correct | None:
    """Read which other choice of `candidate` is meant, or which ones may be."""
    plain = _LEAD.sub("", text)
    if normal(text).isdigit():
        return None
    if (found := read_choice(plain, candidate.choices)) is not None:
        return Correct(candidate.slot, found.id)
    if context.expects != "confirmation":
        return None
    if _ANOTHER.fullmatch(normal(plain)):
        among = tuple(choice for choice in candidate.choices if choice.id != candidate.chosen)
    else:
        among = read_several(plain, candidate.choices)
    if len(among) == 1:
        return Correct(candidate.slot, among[0].id)
    return Correct(candidate.slot, among=tuple(choice.id for choice in among)) if among else None
