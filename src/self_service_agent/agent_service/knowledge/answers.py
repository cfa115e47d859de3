"""What a question to the documents is answered with: quotes, each with the place that it stands at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .rules import Hit, Retrieval, Scope


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question, and in whose eyes; `synonyms` are words that mean the same there.

    A guess is a message that may not be a question at all, so that an answer has to fit better. `section` is the one
    for which the author of the definition gave just this question as an example: its version's digest and heading.
    """

    text: str
    scope: Scope
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_guess: bool = False
    section: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Citation:
    """A quote: `text` is what stands at `span`, two offsets into the text of that version of the document."""

    document: str
    version: str
    title: str
    heading: str
    span: tuple[int, int]
    text: str
    url: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the citation as the turn envelope carries it."""
        kept = {"document": self.document, "version": self.version, "title": self.title, "heading": self.heading}
        return {**kept, "span": list(self.span), "text": self.text, **({"url": self.url} if self.url else {})}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was found. Without citations nothing was good enough, and that has to be said."""

    retrieval: Retrieval
    citations: tuple[Citation, ...] = ()
    is_table: bool = False


@dataclass(frozen=True, kw_only=True)
class Found:
    """A passage in its place, with its text, for whoever examines the retrieval."""

    hit: Hit
    citation: Citation
    is_answer: bool
