"""When something that failed is worth trying again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often, and for how long, one call is tried in all."""

    attempts: int = 4
    first_wait_seconds: float = 0.2
    longest_wait_seconds: float = 30
    # The server itself ends a wait after AGENT_TIMEOUT, two minutes unless it was changed.
    total_seconds: float = 180

    def next_wait(self, attempt: int, *, retry_after: float | None, elapsed: float, random: float) -> float | None:
        """Return the seconds to wait after failed attempt number `attempt`, or None when it was the last.

        The waits are random up to a bound that doubles, so that many callers do not come back together; a wish of the
        service is kept to, or not waited for at all.
        """
        if attempt >= self.attempts:
            return None
        bound = min(self.first_wait_seconds * 2 ** (attempt - 1), self.longest_wait_seconds)
        wait = (retry_after or 0) + random * bound
        is_short = (retry_after or 0) <= self.longest_wait_seconds
        return wait if is_short and elapsed + wait < self.total_seconds else None
