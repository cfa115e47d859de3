"""Recognises a message that is surely not English, from its script or from its commonest words."""

import re
from collections.abc import Mapping
from typing import Final

_FEWEST_LETTERS = 6
_FEWEST_WORDS = 4
_FEWEST_HITS = 3
_LATIN_END = 0x250  # of the letters of Western and Central Europe
_WORD = re.compile(r"[^\W\d_]+")
# Words that are common there and mean nothing in English; a message has to hold several of one language.
_COMMON: Final[Mapping[str, str]] = {
    "Dutch": "ik een het de niet mijn heb hebben nodig met voor van maar hoe kan zijn wij dat dit naar nieuwe graag",
    "French": "je j ne pas est le la les un une des mon ma mes avec que qui vous nous dans sur mais suis ai besoin d l "
    "nouvel nouveau pourquoi",
    "German": "ich und nicht ist der das ein eine einen mein meine meinen brauche habe kann wie bitte mir mit für auf "
    "wir sie zu dem den auch aber noch sich wenn wird sind neuen neues neue warum",
    "Italian": "io il lo gli una un mio mia è che di per con ho bisogno sono della del nuovo nuova perché vorrei",
    "Polish": "ja nie jest mój moja się na do że potrzebuję jak dla w z proszę mam nowy nowego",
    "Portuguese": "eu os uma um meu minha é que para com preciso tenho não como mas da novo nova por favor",
    "Spanish": "yo el los las un una mi es que por para con necesito tengo como pero está muy de del su nuevo nueva",
}
_COMMON_SETS: Final = tuple(frozenset(words.split()) for words in _COMMON.values())
_ENGLISH_TEXT: Final = """
    the a an is are was be i my me we our you your it its this that to of for and or not do does can could would will
    have has had need want with how what when where why which who please from in on at by about there new
"""
_ENGLISH: Final = frozenset(_ENGLISH_TEXT.split())


def is_surely_not_english(text: str) -> bool:
    """Tell whether `text` is in another language beyond doubt; of a few words nobody can tell."""
    letters = [letter for letter in text if letter.isalpha()]
    if len(letters) < _FEWEST_LETTERS:
        return False
    if 2 * sum(ord(letter) >= _LATIN_END for letter in letters) > len(letters):
        return True
    words = [word.lower() for word in _WORD.findall(text)]
    if len(words) < _FEWEST_WORDS:
        return False
    said = set(words)
    hits = max(len(said & common) for common in _COMMON_SETS)
    return hits >= _FEWEST_HITS and hits > 2 * len(said & _ENGLISH)
