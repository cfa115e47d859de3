"""Decides whether a reworded answer says what the original says, and nothing else."""

import re
from typing import Final

from .facts import facts_of, names_of

# Words that may begin a sentence without being anybody's name.
_OPENING_WORDS = """
    a all also an and any are as at before but by can could did do does done everything first for from good great
    happy has have hello here hi how i i'd i'll i'm i've if in is it it's just let let's looks no not nothing now of ok
    okay on once one only or our please right see shall should since so some sorry sure thank thanks that that's the
    their them then there there's these they this those to tell unfortunately we we'll we've welcome what what's when
    where which while who why will with would yes you you'll you're you've your
"""
_OPENERS: Final = frozenset(_OPENING_WORDS.split())
# What must not be claimed unless the original claims it, by its stem: that something happened, or how it is decided.
_CLAIMS: Final = (
    "order", "open", "plac", "submit", "approv", "send", "sent", "cancel", "creat", "book", "confirm", "deliver",
    "ship", "eligib", "entitle", "guarante", "free", "refund", "reset", "delet", "chang", "grant", "declin", "reject",
    "promis", "complet", "finish", "schedul", "notif", "escalat", "assign", "clos", "resolv", "fix", "pay", "charg",
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019])*")
_NEGATIONS: Final = frozenset(
    {"no", "not", "never", "nothing", "none", "nobody", "neither", "nor", "without", "cannot"}
)
_CONDITIONS: Final = frozenset({"only", "unless", "before", "after", "until", "already"})
_TIMES_LONGER: Final = 2
_ALWAYS_ALLOWED: Final = 200


def objection(draft: str, original: str) -> str | None:
    """Return why `draft` cannot stand for `original`, or None if it can: same facts, same claims, no other names."""
    if not draft.strip():
        return "it is empty"
    if len(draft) > max(_ALWAYS_ALLOWED, _TIMES_LONGER * len(original)):
        return "it is much longer"
    said, meant = facts_of(draft), facts_of(original)
    if said - meant:
        return "it states what the original does not"
    if meant - said:
        return "it leaves out what the original states"
    return _about_names(draft, original) or _about_claims(draft, original)


def _about_names(draft: str, original: str) -> str | None:
    known = {word.lower() for word in _WORD.findall(original)} | {
        word.lower().removesuffix("'s") for word in _WORD.findall(original)
    }
    if names_of(draft) - known - _OPENERS:
        return "it names what the original does not"
    first_words = {match[1].lower() for match in re.finditer(r"(?:^|[.!?:\n]\s*)[^\w]*([A-Z][\w'\u2019]*)", original)}
    if names_of(original) - first_words - {word.lower().removesuffix("'s") for word in _WORD.findall(draft)}:
        return "it leaves out a name"
    return None


def _about_claims(draft: str, original: str) -> str | None:
    words, known = _words(draft), _words(original)
    claimed = {stem for stem in _CLAIMS if any(word.startswith(stem) for word in words)}
    if any(not any(word.startswith(stem) for word in known) for stem in claimed):
        return "it claims what the original does not"
    if _negations(words) != _negations(known):
        return "it does not deny the same"
    if words & _CONDITIONS != known & _CONDITIONS:
        return "it does not set the same conditions"
    return None


def _words(text: str) -> set[str]:
    return {word.lower().replace("\u2019", "'") for word in _WORD.findall(text)}


def _negations(words: set[str]) -> bool:
    return any(word in _NEGATIONS or word.endswith("n't") for word in words)
