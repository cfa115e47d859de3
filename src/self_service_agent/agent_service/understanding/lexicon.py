"""Finds which of many example texts a new text is most like, by shared words weighed by rarity."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from .words import Vocabulary, content_tokens

LabelT = TypeVar("LabelT")
# Sharing a single word of several is weak evidence, however rare the word is.
_ONE_WORD_OF_MANY = 0.6
# A word that no example has speaks against all of them.
_UNKNOWN_WORD = 1.3


@dataclass(frozen=True)
class Match(Generic[LabelT]):
    """A label, and how like its best example the text is: 0 is nothing in common, 1 the same words."""

    label: LabelT
    score: float


class Lexicon(Generic[LabelT]):
    """An index of examples, made once; asking it costs some tens of microseconds."""

    def __init__(self, examples: Iterable[tuple[LabelT, str]], synonyms: Mapping[str, Iterable[str]]) -> None:
        labelled = [(label, content_tokens(text)) for label, text in examples]
        self._vocabulary = Vocabulary({word for _, words in labelled for word in words}, synonyms)
        bags = [(label, {self._vocabulary.resolve(word) for word in words}) for label, words in labelled]
        counts = Counter(word for _, bag in bags for word in bag)
        self._weights = {word: math.log(1 + len(bags) / count) for word, count in counts.items()}
        self._unknown = _UNKNOWN_WORD * math.log(1 + max(len(bags), 1))
        self._labels = [label for label, _ in bags]
        self._norms = [self._norm(bag) for _, bag in bags]
        self._postings: dict[str, list[int]] = defaultdict(list)
        for number, (_, bag) in enumerate(bags):
            for word in bag:
                self._postings[word].append(number)

    def matches(self, text: str) -> list[Match[LabelT]]:
        """Return every label that shares a word with `text`, the most alike first."""
        bag = set(self._vocabulary.resolve_all(content_tokens(text)))
        norm = self._norm(bag)
        shared: dict[int, float] = defaultdict(float)
        words: dict[int, int] = defaultdict(int)
        for word in bag & self._postings.keys():
            for number in self._postings[word]:
                shared[number] += self._weights[word] ** 2
                words[number] += 1
        best: dict[LabelT, float] = {}
        for number, weight in shared.items():
            label = self._labels[number]
            lonely = words[number] == 1 and len(bag) > 1
            score = weight / (norm * self._norms[number]) * (_ONE_WORD_OF_MANY if lonely else 1.0)
            best[label] = max(best.get(label, 0.0), score)
        ranked = sorted(best.items(), key=lambda item: -item[1])
        return [Match(label, score) for label, score in ranked]

    def _norm(self, bag: Iterable[str]) -> float:
        return math.sqrt(sum(self._weights.get(word, self._unknown) ** 2 for word in bag)) or 1.0
