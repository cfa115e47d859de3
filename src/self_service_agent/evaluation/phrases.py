"""How people say things: for each act several surface forms, and the manners in which any of them can be put."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from .scenarios import Manner

_SHORTEST_MISSPELT = 6


class PhraseBank:
    """Surface forms by act; which one is said depends on the random numbers alone."""

    def __init__(self, forms: Mapping[str, Sequence[str]]) -> None:
        self._forms = forms

    def has(self, act: str) -> bool:
        return act in self._forms

    def forms(self) -> Iterator[tuple[str, str]]:
        """Yield every form with its act."""
        return ((act, form) for act, forms in self._forms.items() for form in forms)

    def say(self, act: str, rng: Random, **places: str) -> str:
        """Return a form of `act`; what is not in the bank is literal text and returned as it is."""
        forms = self._forms.get(act)
        return act if forms is None else rng.choice(list(forms)).format(**places)

    def say_anew(self, act: str, rng: Random, said: Sequence[str]) -> str:
        """Return a form of `act` that is not among `said`, as long as there is one."""
        forms = self._forms.get(act, (act,))
        return rng.choice([form for form in forms if form not in said] or list(forms))


def put(text: str, manner: Manner, rng: Random) -> str:
    """Return `text` as somebody with this manner writes it."""
    match manner:
        case "caps":
            return text.upper()
        case "polite":
            return f"Hi there, {text}, please"
        case "typos":
            return " ".join(_misspelt(word, rng) for word in text.split(" "))
        case "terse":
            return text.rstrip(".!")
        case "plain":
            return text


def _misspelt(word: str, rng: Random) -> str:
    """Swap two letters inside a long word, or leave one out."""
    if len(word) < _SHORTEST_MISSPELT or not word.isalpha():
        return word
    at = rng.randrange(2, len(word) - 2)
    if rng.random() < 0.5:  # noqa: PLR2004  # as often one as the other
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :]
