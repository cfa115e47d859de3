"""A circuit breaker: after failures in a row a provider is left alone, then tried with a single call."""

from typing import Literal

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Moments are seconds of a clock that never goes back; the caller passes them in.

    Whoever is admitted says afterwards how it went: `succeeded`, `failed`, or `abandoned` if it was not found out.
    """

    def __init__(self, *, failures: int, pause: float) -> None:
        self._limit = failures
        self._pause = pause
        self._failures = 0
        self._open_until: float | None = None
        self._on_trial = False

    def state(self, now: float) -> State:
        if self._open_until is None:
            return "closed"
        return "open" if now < self._open_until else "half-open"

    def admits(self, now: float) -> bool:
        """Tell whether a call may be made; of a half-open breaker it is a trial, one at a time."""
        match self.state(now):
            case "closed":
                return True
            case "open":
                return False
            case "half-open":
                admitted, self._on_trial = not self._on_trial, True
                return admitted

    def succeeded(self) -> None:
        self._failures, self._open_until, self._on_trial = 0, None, False

    def failed(self, now: float, *, wait: float | None = None) -> None:
        """Count a failure; `wait` is for how many seconds the provider itself asks to be left alone."""
        self._failures += 1
        self._on_trial = False
        if self._failures >= self._limit or self._open_until is not None:
            self._open_until = now + max(self._pause, wait or 0)
        elif wait is not None:
            self._open_until = now + wait

    def abandoned(self) -> None:
        """Let somebody else try."""
        self._on_trial = False
