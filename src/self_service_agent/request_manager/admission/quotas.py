"""How many requests a caller may still make today."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool, finish

from . import repository
from .repository import Kind
from .rules import day_of, day_standing, seconds_left

_FRESH_SECONDS = 10.0
_REMEMBERED = 100_000


@dataclass(slots=True)
class _Usage:
    """What is known of a caller's day: counted in the database, and admitted here since that was counted."""

    counted_from: datetime
    settled: int = 0
    recent: int = 0
    here: int = 0
    counted_at: float = -math.inf
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def used(self) -> int:
        return self.settled + self.recent + self.here


class Quotas:
    """Counts a caller's requests of the day where they are stored, so that restarts and other processes count too.

    Between two counts, ten seconds apart, only what is admitted here is added. So a caller gets past its quota by no
    more than it asks of other processes within ten seconds, and by what is being stored at the moment of the count. A
    request that was admitted and then not stored counts until the next count.
    """

    def __init__(
        self,
        pool: Pool,
        kind: Kind,
        per_day: int,
        *,
        now: Callable[[], datetime] = clock.now,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._kind = kind
        self._per_day = per_day
        self._now = now
        self._elapsed = elapsed
        self._day = day_of(now())
        self._usages: OrderedDict[str, _Usage] = OrderedDict()

    async def use(self, caller: str) -> tuple[bytes, float]:
        """Use one of the caller's requests and say how it stands; or use none, and return how long it has to wait."""
        now = self._now()
        seconds = seconds_left(now)
        usage = self._usage_of(caller, day=day_of(now))
        await self._count(caller, usage)
        if usage.used >= self._per_day:
            return day_standing(0, seconds), float(seconds)
        usage.here += 1
        return day_standing(self._per_day - usage.used, seconds), 0.0

    def _usage_of(self, caller: str, *, day: datetime) -> _Usage:
        if day != self._day:
            self._day = day
            self._usages.clear()
        usage = self._usages.get(caller)
        if usage is None:
            usage = self._usages[caller] = _Usage(counted_from=day)
            if len(self._usages) > _REMEMBERED:
                self._usages.popitem(last=False)
        else:
            self._usages.move_to_end(caller)
        return usage

    async def _count(self, caller: str, usage: _Usage) -> None:
        """Count again if it was long ago; while that goes on, nobody waits who has an older count."""
        is_known = usage.counted_at > -math.inf
        if is_known and (usage.counting.locked() or self._elapsed() - usage.counted_at < _FRESH_SECONDS):
            return
        async with usage.counting:
            if not is_known and usage.counted_at > -math.inf:
                return  # somebody else counted while this one waited
            here = usage.here
            counted = await finish(repository.count(self._pool, self._kind, caller, since=usage.counted_from))
            usage.settled += counted.settled
            usage.recent = counted.recent
            usage.counted_from = counted.settled_until
            usage.here -= here
            usage.counted_at = self._elapsed()
