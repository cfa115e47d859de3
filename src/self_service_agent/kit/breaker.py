"""A circuit breaker: after failures in a row nothing is sent for a while, then one try decides. Times are seconds."""

from enum import StrEnum

_MOST_RESTS_IN_A_ROW = 10


class BreakerState(StrEnum):
    """CLOSED lets everything through, OPEN nothing, HALF_OPEN one at a time."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Counts; it knows no clock and is told the time, in seconds of any clock that only goes forward."""

    def __init__(self, *, failures: int = 5, rest: float = 5, longest_rest: float = 60) -> None:
        self._allowed_failures = failures
        self._rest = rest
        self._longest_rest = longest_rest
        self._failures = 0
        self._openings = 0
        self._closed_until: float | None = None
        self._is_being_tried = False

    def state(self, *, now: float) -> BreakerState:
        if self._closed_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self._closed_until else BreakerState.HALF_OPEN

    def admits(self, *, now: float) -> bool:
        """Say whether to go ahead; who is told so must report how it went, with one of the methods below."""
        match self.state(now=now):
            case BreakerState.CLOSED:
                return True
            case BreakerState.OPEN:
                return False
            case BreakerState.HALF_OPEN:
                if self._is_being_tried:
                    return False
                self._is_being_tried = True
                return True

    def succeeded(self) -> None:
        self._failures = self._openings = 0
        self._closed_until = None
        self._is_being_tried = False

    def failed(self, *, now: float) -> None:
        self._failures += 1
        if self._is_being_tried or (self._closed_until is None and self._failures >= self._allowed_failures):
            rest = self._rest * 2 ** min(self._openings, _MOST_RESTS_IN_A_ROW)
            self._openings += 1
            self._closed_until = now + min(self._longest_rest, rest)
        self._is_being_tried = False

    def abandoned(self) -> None:
        """Take back an admission of which nothing has become."""
        self._is_being_tried = False
