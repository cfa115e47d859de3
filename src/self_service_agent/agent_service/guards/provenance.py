"""Checks that a reply holds nobody's addresses, numbers or secrets, and no empty places, but those of its sources."""

import re
from collections.abc import Callable, Iterable, Sequence

from self_service_agent.kit.sensitive import sensitive_places

from .outgoing import ReplyRefused

Sources = Callable[[], Iterable[str]]

_PLACE = re.compile(r"\{[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*\}")
_SHORTEST_PROMPT = 40


def check_provenance(content: str, *, said: Sources, defined: Sources) -> None:
    """Raise `ReplyRefused` if `content` holds what comes from nowhere.

    `said` is what people, tools and documents said; `defined` is what stands in definitions, whose places are to be
    filled before anybody sees them. Both are looked at only if there is something to look for.
    """
    for place in _PLACE.findall(content):
        if not _holds(said(), place):
            raise ReplyRefused("a place of a text was not filled")
    for finding in sensitive_places(content):
        parts = content[finding.start : finding.end].split()
        if not all(_holds(said(), part) or _holds(defined(), part) for part in parts):
            raise ReplyRefused(f"it holds a {finding.sort} that is in none of its sources")


def check_prompts(content: str, *, prompts: Sequence[str]) -> None:
    """Raise `ReplyRefused` if `content` repeats a sentence of our prompts."""
    plain = " ".join(content.split())
    if any(sentence in plain for prompt in prompts for sentence in _sentences(prompt)):
        raise ReplyRefused("it repeats what a model is told")


def _sentences(prompt: str) -> list[str]:
    sentences = re.split(r"(?<=[.:;!?])\s+", " ".join(prompt.split()))
    return [sentence for sentence in sentences if len(sentence) >= _SHORTEST_PROMPT]


def _holds(texts: Iterable[str], part: str) -> bool:
    return any(part in text for text in texts)
