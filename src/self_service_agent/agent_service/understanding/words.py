"""Words of a text: lower case, without endings, and near misses brought back to known words."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

_WORD = re.compile(r"[^\W_]+")
_STOP_TEXT = """
    a an the i i'm im ive we you he she it its me my mine our your is am are was were be been do does did to of
    for in on at by with from and or so that this these those please pls can could would will shall should
    has had there here just really like want wants wanted need needs needed some any get got let us hi hello hey
    thanks thank d ll s t m ve re as if but not no also too very now today what how when where which who why
"""
_STOP = frozenset(_STOP_TEXT.split())
_ENDING_TEXT = "ingly ments ment ings ing edly ies ied ers er ed es s ly al e y"
_ENDINGS = tuple(_ENDING_TEXT.split())
_SHORTEST_STEM = 3
_SHORTEST_SWAPPED = 3
_SHORTEST_CORRECTED = 5
_LONGEST_CORRECTED = 30


def stem(word: str) -> str:
    """Return `word` without its ending, so that forms of one word meet."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def tokens_of(text: str) -> list[str]:
    """Return the stems of `text`, in order."""
    return [stem(word) for word in _WORD.findall(_plain(text))]


def content_tokens(text: str) -> list[str]:
    """Return the stems of the words of `text` that carry its meaning, in order."""
    return [stem(word) for word in _WORD.findall(_plain(text)) if word not in _STOP]


def _plain(text: str) -> str:
    return text.lower().replace("'", "").replace("\u2019", "")


class Vocabulary:
    """Known stems; finds the one meant by a misspelt word, and the common word for its synonyms."""

    def __init__(self, known: Iterable[str], synonyms: Mapping[str, Iterable[str]]) -> None:
        self._common = {stem(other): stem(word) for word, others in synonyms.items() for other in others}
        self._known = {self._common.get(word, word) for word in known} | set(self._common.values())
        reachable = sorted(self._known | self._common.keys())
        self._near = {form: word for word in reachable if len(word) >= _SHORTEST_CORRECTED for form in _one_less(word)}

    def resolve(self, word: str) -> str:
        """Return the known stem that `word` stands for, or `word` itself."""
        known = word in self._known or word in self._common
        if not known and _SHORTEST_CORRECTED <= len(word) <= _LONGEST_CORRECTED:
            word = next((self._near[form] for form in _one_less(word) if form in self._near), word)
        elif not known and _SHORTEST_SWAPPED <= len(word) < _SHORTEST_CORRECTED:
            word = next((form for form in _two_swapped(word) if form in self._known), word)
        return self._common.get(word, word)

    def resolve_all(self, words: Sequence[str]) -> Iterator[str]:
        """Yield what each of `words` stands for; two that only make a known word together are that one."""
        at = 0
        while at < len(words):
            pair = "".join(words[at : at + 2])
            joined = words[at] not in self._known and (pair in self._known or pair in self._common)
            yield self.resolve(pair if joined else words[at])
            at += 2 if joined else 1


def _one_less(word: str) -> Iterator[str]:
    yield word
    yield from (word[:at] + word[at + 1 :] for at in range(1, len(word)))


def _two_swapped(word: str) -> Iterator[str]:
    yield from (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1))
