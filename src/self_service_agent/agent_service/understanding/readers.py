"""Reads small exact things out of a reply: a place in a list, a choice, a date, an e-mail address, a number."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from .grammar import normal
from .words import tokens_of

if TYPE_CHECKING:
    from .context import Choice

_ORDINALS: Mapping[str, int] = {
    word: place
    for place, words in enumerate(
        ("first 1st one", "second 2nd two", "third 3rd three", "fourth 4th four", "fifth 5th five", "sixth 6th six",
         "seventh 7th seven", "eighth 8th eight", "ninth 9th nine", "tenth 10th ten"),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
_LEAD = (
    r"(?:(?:please|i'll take|i will take|i take|i want|i'd like|i would like|i meant|give me|choose|pick|select|take|"
    r"make it|let's go with|go with|for|ok|yes|actually|rather|change (?:it )?to|switch to)\s)*"
)
_TAIL = (
    r"(?:\s(?:please|thanks|thank you|instead|then|now|quickly|asap|or so|i think|i guess|for me|is fine|is good|"
    r"sounds good|looks good|would be (?:great|nice|good)))*"
)
_BY_NUMBER = re.compile(
    rf"{_LEAD}(?:the\s)?(?:option|number|no|nr|choice|item|laptop|model)?\s?(?P<place>\d{{1,2}}){_TAIL}"
)
_BY_WORD = re.compile(
    rf"{_LEAD}(?:the\s)?(?:option|number|choice)?\s?(?P<word>{'|'.join(_ORDINALS)}|last)(?:\s(?:one|option|choice|laptop|item))?"
    rf"{_TAIL}"
)
_BELOW_ZERO = re.compile(r"(?<!\w)-\s?\d")
_NEGATION = frozenset({"not", "no", "never", "without", "except", "dont", "cant", "wont", "neither", "nor"})
_FILLER_TEXT = """
    i i'd id i'll want take like go with choose pick option prefer select the a an one would will please give me
    get order make it to change switch instead actually rather ok okay yes and thanks thank you let's for my new
    be that this is hmm think laptop model inch number
"""
_FILLER = frozenset(tokens_of(_FILLER_TEXT))
_MOST_UNKNOWN_WORDS = 2
EXACT_TYPES = frozenset({"email", "number", "date"})
"""The types of which a text holds a value for certain, or none."""
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,12}(?:\.\d{1,6})?(?![\w.])")
_ISO_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_DAYS: Mapping[str, int] = {"today": 0, "tomorrow": 1, "yesterday": -1}
_DATE_FORMS = ("%d.%m.%Y", "%d %B %Y", "%B %d %Y", "%d %b %Y", "%b %d %Y")


def read_place(text: str, *, count: int) -> int | None:
    """Return the place, from 1, that `text` as a whole names in a list of `count`; may lie outside the list."""
    plain = normal(text)
    if _BELOW_ZERO.search(text):
        return None
    if found := _BY_NUMBER.fullmatch(plain):
        return int(found["place"])
    if found := _BY_WORD.fullmatch(plain):
        return count if found["word"] == "last" else _ORDINALS[found["word"]]
    return None


def read_choice(text: str, choices: "Sequence[Choice]") -> "Choice | None":
    """Return the one choice that `text` names by place, id or name; None when it names none or several."""
    if (place := read_place(text, count=len(choices))) is not None:
        return choices[place - 1] if 1 <= place <= len(choices) else None
    plain = normal(text)
    exact = [
        choice for choice in choices if plain in {normal(name) for name in (choice.id, choice.label, *choice.names)}
    ]
    if len(exact) == 1:
        return exact[0]
    likely = _most_named(text, choices)
    return likely[0] if len(likely) == 1 else None


def read_several(text: str, choices: "Sequence[Choice]") -> "tuple[Choice, ...]":
    """Return the choices that `text` names equally well, or none if it names one, none or all of them."""
    if read_place(text, count=len(choices)) is not None:
        return ()
    likely = _most_named(text, choices)
    return likely if 1 < len(likely) < len(choices) else ()


def _most_named(text: str, choices: "Sequence[Choice]") -> "tuple[Choice, ...]":
    said = set(tokens_of(text))
    if said & _NEGATION or text.rstrip().endswith("?"):
        return ()
    wanted = said - _FILLER
    known = [_names_of(choice) for choice in choices]
    scores = [len(wanted & words) if any(not word.isdigit() for word in wanted & words) else 0 for words in known]
    best = max(scores, default=0)
    if best == 0 or len(wanted) - best > _MOST_UNKNOWN_WORDS:
        return ()
    numbers = {word for word in wanted if word.isdigit()}
    return tuple(
        choice
        for place, (choice, words, score) in enumerate(zip(choices, known, scores, strict=True), start=1)
        if score == best and numbers <= words | {str(place)}
    )


def _names_of(choice: "Choice") -> set[str]:
    """Return the words a choice may be called by; a number in its description is no name of it."""
    described = {word for word in tokens_of(choice.label) if not word.isdigit()}
    return described | set(tokens_of(" ".join((choice.id, *choice.names))))


def read_value(text: str, *, slot_type: str, today: date) -> str | float | None:
    """Return the value of `slot_type` that `text` gives, or None if it gives none."""
    match slot_type:
        case "email":
            found = EMAIL.search(text)
            return found[0].lower() if found else None
        case "number":
            numbers = _NUMBER.findall(text)
            return _number(numbers[0]) if len(numbers) == 1 else None
        case "date":
            day = _read_day(text, today=today)
            return day.isoformat() if day else None
        case _:
            return text.strip() or None


def _number(written: str) -> float:
    """Read a number; a whole one is shown without a point later on."""
    number = float(written)
    return int(number) if number.is_integer() else number


def _read_day(text: str, *, today: date) -> date | None:
    plain = normal(text)
    if plain in _DAYS:
        return today + timedelta(days=_DAYS[plain])
    if found := _ISO_DATE.search(text):
        return _day_in_form(found[0], "%Y-%m-%d")
    tidy = text.strip(" .,!").replace(",", "")
    return next((day for form in _DATE_FORMS if (day := _day_in_form(tidy, form))), None)


def _day_in_form(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007  # a day, not a moment
    except ValueError:
        return None
