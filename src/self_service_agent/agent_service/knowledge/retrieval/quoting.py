"""Picks the sentences of a passage that answer a question; what is picked stands together, and is quoted as it is."""

from collections.abc import Sequence

from self_service_agent.agent_service.knowledge.reading.passages import sentences_of
from self_service_agent.agent_service.understanding.words import content_tokens

WHOLE = 480  # characters up to which a passage is quoted whole
_SENTENCES = 3


def quote(text: str, question: str) -> tuple[int, int]:
    """Return where in `text` the answer to `question` stands: all of it if it is short, else its best sentences."""
    if len(text) <= WHOLE:
        return 0, len(text)
    sentences = sentences_of(text)
    asked = set(content_tokens(question))
    weights = [len(asked & set(content_tokens(text[start:end]))) for start, end in sentences]
    first = _best_window(weights)
    last = min(first + _SENTENCES, len(sentences)) - 1
    start, end = sentences[first][0], sentences[last][1]
    return start, start + len(text[start:end].rstrip())


def _best_window(weights: Sequence[int]) -> int:
    """Return where the neighbouring sentences begin that share the most words with the question."""
    best = max(range(len(weights)), key=lambda at: (weights[at], -at))
    starts = range(max(0, best - _SENTENCES + 1), best + 1)
    return max(starts, key=lambda at: (sum(weights[at : at + _SENTENCES]), at == best, at))
