"""How likeness by words and likeness in meaning are weighed, and what is enough to act or to ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .catalogue import Entry, FlowEntry, PassageEntry
from .commands import AskKnowledge, StartFlow
from .lexicon import Match

Matches = Sequence[Match[Entry]]


@dataclass(frozen=True)
class Thresholds:
    """From `sure` on a message is taken to mean the best match if that leads by `margin`; from `offer` on it may."""

    sure: float
    margin: float
    offer: float


# Each measured on one half of evaluations/intents and confirmed on the other.
BY_WORDS = Thresholds(sure=0.52, margin=0.06, offer=0.3)
BY_MEANING = Thresholds(sure=0.48, margin=0.06, offer=0.26)
_SHARE_OF_WORDS = 0.3
_MOST_OFFERS = 2


@dataclass(frozen=True)
class Ranking:
    """What a message may mean, the likeliest first, and how likely is likely enough."""

    matches: Matches
    thresholds: Thresholds

    @property
    def best(self) -> Entry | None:
        """Return what the message means, or None if that is not certain enough."""
        if not self.matches or self.matches[0].score < self.thresholds.sure:
            return None
        first = self.matches[0]
        rival = next((match for match in self.matches[1:] if not _is_as_good(first.label, match.label)), None)
        is_clear = rival is None or first.score - rival.score >= self.thresholds.margin
        return first.label if is_clear else None

    @property
    def wish(self) -> StartFlow | None:
        """Return the flow that the message is most like, unless it is more like a passage."""
        first = self.offers[0] if self.offers else None
        return first if isinstance(first, StartFlow) else None

    @property
    def offers(self) -> tuple[StartFlow | AskKnowledge, ...]:
        """Return the flows or passages that the message is most like, if it is enough to ask; the best is the first."""
        likely = (match.label for match in self.matches if match.score >= self.thresholds.offer)
        different: dict[str, Entry] = {}
        for label in likely:
            different.setdefault(_leads_to(label), label)
        return tuple(map(_offered, different.values()))[:_MOST_OFFERS]


def fused(by_words: Matches, by_meaning: Matches) -> Ranking:
    """Return one ranking of both; what has no word in common with a message can still mean the same."""
    words: Mapping[Entry, float] = {match.label: min(match.score, 1) for match in by_words}
    scored = [
        Match(match.label, (1 - _SHARE_OF_WORDS) * match.score + _SHARE_OF_WORDS * words.get(match.label, 0))
        for match in by_meaning
    ]
    return Ranking(sorted(scored, key=lambda match: -match.score), BY_MEANING)


def _is_as_good(first: Entry, other: Entry) -> bool:
    """Tell whether it does not matter which of both is meant: both lead to the same document."""
    return isinstance(first, PassageEntry) and _leads_to(first) == _leads_to(other)


def _leads_to(entry: Entry) -> str:
    return f"{entry.agent_id}/{entry.flow}" if isinstance(entry, FlowEntry) else entry.document_id


def _offered(entry: Entry) -> StartFlow | AskKnowledge:
    if isinstance(entry, FlowEntry):
        return StartFlow(entry.agent_id, entry.flow)
    return AskKnowledge(f"{entry.title}: {entry.section.heading}")
