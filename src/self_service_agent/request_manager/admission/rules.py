"""The arithmetic of limits, and the words in which callers are told how they stand.

The words are those of `RateLimit-Policy` and `RateLimit` in draft-ietf-httpapi-ratelimit-headers.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MINUTE = 60.0
_DAY = timedelta(days=1)
_HAIR = 1e-6  # what a sum of many small floats may be off
_ALMOST = 1 - _HAIR


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A token bucket: it holds `burst` tokens at most, and gets a new one every `interval` seconds.

    Its whole state is one number, the moment at which it will be full; an empty one fills in `window` seconds.
    """

    interval: float
    burst: int
    window: float

    def draw(self, full_at: float, *, now: float) -> tuple[float, float]:
        """Return when the bucket will be full if a token is taken, and how many seconds too early that would be."""
        after = max(full_at, now) + self.interval
        early = after - now - self.window
        return after, early if early > _HAIR else 0.0

    def standing(self, full_at: float, *, now: float) -> bytes:
        """Say how many tokens are left, and after how many seconds all of them are back."""
        lacking = full_at - now
        # Whole numbers: %d cuts off, so that seconds are rounded up and tokens down.
        return b'"rate";r=%d;t=%d' % ((self.window - lacking) / self.interval + _HAIR, lacking + _ALMOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one caller may do; None and 0 are no limit."""

    rate: Rate | None
    per_day: int
    in_flight: int


def rate_of(per_minute: int, burst: int) -> Rate | None:
    """Return the bucket that lets this many requests through in a minute, or None for no limit."""
    if not per_minute:
        return None
    interval = _MINUTE / per_minute
    return Rate(interval=interval, burst=burst, window=interval * burst)


def day_of(now: datetime) -> datetime:
    """Return the beginning of the day, which is the same everywhere: UTC."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def seconds_left(now: datetime) -> int:
    """Return the seconds until the next day begins."""
    return math.ceil((day_of(now) + _DAY - now).total_seconds())


def day_standing(left: int, seconds: int) -> bytes:
    """Say how many requests are left of the day, and when the next one begins."""
    return b'"day";r=%d;t=%d' % (left, seconds)


def policies(limits: Limits) -> bytes:
    """Say which limits there are, or nothing if there is none."""
    said = []
    if limits.rate is not None:
        said.append(f'"rate";q={limits.rate.burst};w={max(1, round(limits.rate.window))}')
    if limits.per_day:
        said.append(f'"day";q={limits.per_day};w={int(_DAY.total_seconds())}')
    if limits.in_flight:
        said.append(f'"in-flight";q={limits.in_flight};qu="concurrent-requests"')
    return ", ".join(said).encode()


def is_behind(*, before: float, latest: float, present: float, patience: float) -> bool:
    """Tell whether a timer was late twice running; being late once is a pause, and over by the time it is noticed.

    `before` and `latest` are by how many seconds it was late the last two times, `present` by how many it is now.
    """
    return latest > patience and max(before, present) > patience
