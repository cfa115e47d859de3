"""Refusals that repeat: a flood of the same one is a line with a count, and a flood of different ones stays small."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from .entries import ActorKind, AuditEntry, AuditLine, Outcome, shortened

WINDOW: Final = timedelta(minutes=1)
LIMIT: Final = 1_000
LIMIT_OF_ONE: Final = 50

_Sort = tuple[str | None, ...]
_Source = tuple[str | None, str | None]


class Refusals:
    """Counts equal refusals for a minute each.

    Beyond 50 different ones of one actor at one address they share a line of theirs, so that nobody hides what others
    do; beyond 1,000 of all, they are told apart by action only.
    """

    def __init__(self, line: Callable[[AuditEntry, datetime], AuditLine]) -> None:
        self._line = line
        self._lines: dict[_Sort, AuditLine] = {}  # the oldest first
        self._of_source: Counter[_Source] = Counter()

    def counted(self, entry: AuditEntry, now: datetime) -> AuditLine:
        """Return the line of this refusal, with the count it has reached."""
        self._forget_before(now - WINDOW)
        sort = _sort_of(shortened(entry))
        if sort not in self._lines and self._of_source[_source_of(sort)] >= LIMIT_OF_ONE:
            entry = _any_of(entry.action, of=entry)
            sort = _sort_of(shortened(entry))
        if sort not in self._lines and len(self._lines) >= LIMIT:
            entry = _any_of(entry.action)
            sort = _sort_of(entry)
        line = self._lines.get(sort)
        if line is None:
            self._of_source[_source_of(sort)] += 1
        counted = self._line(entry, now) if line is None else replace(line, occurrences=line.occurrences + 1)
        self._lines[sort] = counted
        return counted

    def _forget_before(self, moment: datetime) -> None:
        while self._lines:
            sort, line = next(iter(self._lines.items()))
            if line.at > moment:
                return
            del self._lines[sort]
            self._of_source -= Counter([_source_of(sort)])


def _sort_of(entry: AuditEntry) -> _Sort:
    return (entry.actor, entry.actor_kind, entry.action, entry.target, entry.reason, entry.address)


def _source_of(sort: _Sort) -> _Source:
    actor, _, _, _, _, address = sort
    return actor, address


def _any_of(action: str, *, of: AuditEntry | None = None) -> AuditEntry:
    return AuditEntry(
        actor=of.actor if of else "anonymous",
        actor_kind=of.actor_kind if of else ActorKind.ANONYMOUS,
        address=of.address if of else None,
        action=action,
        outcome=Outcome.REFUSED,
        reason="one of too many different refusals to tell them apart",
    )
