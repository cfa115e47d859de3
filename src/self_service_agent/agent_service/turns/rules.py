"""How turns are run: how many at once, how long one may take, how often it is tried."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class TurnPolicy:
    """`patience` bounds one attempt, `lease` is renewed at a third of its length, `drain` bounds the shut-down.

    `crashes` are allowed beyond `attempts`: a worker that dies takes many turns with it, and one of them at most is at
    fault; a turn that kills its worker must end all the same.
    """

    concurrency: int = 64
    attempts: int = 5
    crashes: int = 20
    patience: timedelta = timedelta(seconds=120)
    lease: timedelta = timedelta(seconds=15)
    drain: timedelta = timedelta(seconds=20)
    base: timedelta = timedelta(milliseconds=200)
    cap: timedelta = timedelta(seconds=30)

    def is_spent(self, attempt: int, *, taken_over: bool) -> bool:
        """Tell whether attempt number `attempt` is one too many; `taken_over` if the one before was cut off."""
        return attempt > self.attempts + (self.crashes if taken_over else 0)

    def wait(self, attempt: int, *, random: float) -> timedelta:
        """Return the full-jitter wait after failed attempt number `attempt`."""
        return min(self.cap, self.base * 2.0 ** min(attempt - 1, 30)) * random
