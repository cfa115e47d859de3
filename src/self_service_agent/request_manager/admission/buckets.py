"""The token bucket of each caller."""

from collections import OrderedDict

from .rules import Rate

_REMEMBERED = 100_000


class Buckets:
    """Remembers the buckets of the latest callers in this process; one that is forgotten is full again."""

    def __init__(self, rate: Rate, *, remembered: int = _REMEMBERED) -> None:
        self._rate = rate
        self._remembered = remembered
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, caller: str, *, now: float) -> tuple[bytes, float]:
        """Take a token of the caller and say how it stands; or take none, and return how long it has to wait."""
        remembered = self._full_at
        before = remembered.get(caller, now)
        after, wait = self._rate.draw(before, now=now)
        if wait:
            remembered.move_to_end(caller)
            return self._rate.standing(before, now=now), wait
        remembered[caller] = after
        remembered.move_to_end(caller)
        if len(remembered) > self._remembered:
            remembered.popitem(last=False)
        return self._rate.standing(after, now=now), 0.0
