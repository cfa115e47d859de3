"""What a model is never asked: everything that a grammar reads for certain, yes and no first of all."""

from .commands import Choose, Command, Reset, WhichOne
from .context import UnderstandingContext
from .corrections import read_correction
from .grammar import chat_command, politeness, set_phrase, starts_over, yes_or_no
from .readers import EXACT_TYPES, read_choice, read_several, read_value


def is_settled(text: str, context: UnderstandingContext) -> bool:
    """Tell whether the rules' reading of `text` stands, so that no model is asked."""
    return (
        context.mode == "human"
        or context.expects == "approval"
        or _named(text, context) is not None
        or _phrase(text, context) is not None
        or _is_the_value(text, context)
        or _is_another_value(text, context)
    )


def _named(text: str, context: UnderstandingContext) -> Command | None:
    if context.expects != "choice":
        return None
    if (found := read_choice(text, context.choices)) is not None:
        return Choose(found.id)
    several = read_several(text, context.choices)
    return WhichOne(tuple(choice.id for choice in several)) if several else None


def _phrase(text: str, context: UnderstandingContext) -> Command | None:
    found = chat_command(text) or set_phrase(text)
    if found is None and context.expects != "text":
        found = yes_or_no(text)
    if found is None and starts_over(text):
        return Reset()
    return found or politeness(text)


def _is_another_value(text: str, context: UnderstandingContext) -> bool:
    found = read_correction(text, context)
    return found is not None and found.value is not None


def _is_the_value(text: str, context: UnderstandingContext) -> bool:
    """Tell whether the message is nothing but the value that was asked for, of a type that leaves no doubt."""
    if context.expects != "text" or context.slot_type not in EXACT_TYPES or " " in text.strip():
        return False
    return read_value(text, slot_type=context.slot_type, today=context.today) is not None
