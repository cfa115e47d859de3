"""What is decided about knowledge without looking anything up: who may see what, what fits, and what is good enough."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Retrieval = Literal["hybrid", "lexical"]

_BASE = re.compile(r"[a-z][a-z0-9-]{0,59}")
_RANK_OFFSET = 60  # of reciprocal rank fusion, as its authors chose it
_WEIGHTS: Final = {"words": 0.25, "meaning": 1.0}  # what people ask seldom has the words of the documents
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
# What people say around a question. PostgreSQL leaves out the other words that mean nothing.
_AROUND_TEXT = """
    please help need want like get know tell show find let make way hello hi thanks can could would should must may
    will shall ok also still list every give
"""
_AROUND = frozenset(_AROUND_TEXT.split())


class UnusableBase(ValueError):
    """No base can be called that."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where is looked: documents of definitions by their digests, and bases as far as somebody may see them.

    Beside `groups` and `regions` count those that the person `reader` is known to belong to.
    """

    digests: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    reader: str | None = None


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """How well the best passage has to fit for being an answer, with vectors and by words alone.

    `guess` is added where the message may not be a question at all. Words count a little beside the meaning.
    """

    meaning: float = 0.51
    words: float = 0.45
    guess: float = 0.05
    weight_of_words: float = 0.2


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A passage that shares words or meaning with a question.

    `score` weighs the words it shares, `coverage` is the share of the question's weight that it has, 0 to 1;
    `similarity` is the cosine of its vector to the question's, None where there is no vector.
    """

    version_id: str
    ordinal: int
    kind: Literal["text", "table"]
    heading: str
    start: int
    end: int
    score: float
    coverage: float
    similarity: float | None


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A candidate in its place in the order of all; `found_by` says which half knew it, with its rank there."""

    candidate: Candidate
    fused: float
    found_by: Mapping[str, int] = field(default_factory=dict)


def base_name(text: str) -> str:
    """Return `text` if a base can be called that: small letters, digits and hyphens; raises `UnusableBase`."""
    if not _BASE.fullmatch(text):
        raise UnusableBase(f"{text!r} cannot name a base: small letters, digits and hyphens can, up to 60 of them.")
    return text


def digest_of(*parts: object) -> str:
    """Return a digest of everything that makes two versions of a document the same."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def concepts_in(question: str, synonyms: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the question's words as full-text queries, each together with the words that mean the same."""
    alike = _alike(synonyms)
    words = dict.fromkeys(word.lower().replace("\u2019", "'") for word in _WORD.findall(question))
    return [
        " | ".join(_phrase(each) for each in sorted(alike.get(word, {word})))
        for word in words
        if word not in _AROUND and len(word) > 1
    ]


def fused(candidates: Sequence[Candidate], *, limit: int) -> list[Hit]:
    """Order candidates by reciprocal rank fusion of the words' order and the meaning's."""
    by_words = _ranks({_key(each): each.score for each in candidates if each.score > 0})
    by_meaning = _ranks({_key(each): each.similarity for each in candidates if each.similarity is not None})
    hits = [_hit(each, words=by_words.get(_key(each)), meaning=by_meaning.get(_key(each))) for each in candidates]
    return sorted(hits, key=lambda hit: (-hit.fused, _key(hit.candidate)))[:limit]


def margin(candidate: Candidate, thresholds: Thresholds, *, is_guess: bool = False) -> float:
    """Return by how much a passage is better than it has to be for an answer; below 0 it is none."""
    bar = thresholds.guess if is_guess else 0.0
    if candidate.similarity is None:
        return candidate.coverage - thresholds.words - bar
    strength = candidate.similarity + thresholds.weight_of_words * candidate.coverage
    return strength - thresholds.meaning - bar


def _hit(candidate: Candidate, *, words: int | None, meaning: int | None) -> Hit:
    found_by = {half: rank for half, rank in (("words", words), ("meaning", meaning)) if rank is not None}
    fused = sum(_WEIGHTS[half] / (_RANK_OFFSET + rank) for half, rank in found_by.items())
    return Hit(candidate=candidate, fused=fused, found_by=found_by)


def _ranks(strengths: Mapping[tuple[str, int], float]) -> dict[tuple[str, int], int]:
    ordered = sorted(strengths, key=lambda key: (-strengths[key], key))
    return {key: rank for rank, key in enumerate(ordered, start=1)}


def _key(candidate: Candidate) -> tuple[str, int]:
    return candidate.version_id, candidate.ordinal


def _alike(synonyms: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    alike: dict[str, set[str]] = {}
    for word, others in synonyms.items():
        together = {word.lower(), *(other.lower() for other in others)}
        for each in together:
            alike.setdefault(each, set()).update(together)
    return alike


def _phrase(text: str) -> str:
    return " <-> ".join("'" + word.replace("'", "''") + "'" for word in _WORD.findall(text)) or "''"
