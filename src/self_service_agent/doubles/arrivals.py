"""A bounded list of what has arrived, which others can wait on."""

import asyncio
from collections import deque
from datetime import timedelta
from typing import Generic, TypeVar

T = TypeVar("T")


class Arrivals(Generic[T]):
    """Keeps the newest arrivals, oldest first, and counts them all."""

    def __init__(self, keep: int) -> None:
        self._kept: deque[T] = deque(maxlen=keep)
        self._count = 0
        self._changed = asyncio.Event()

    @property
    def kept(self) -> tuple[T, ...]:
        return tuple(self._kept)

    def add(self, arrival: T) -> None:
        """Keep `arrival` and wake everybody who waits."""
        self._kept.append(arrival)
        self._count += 1
        self._changed.set()

    def clear(self) -> None:
        """Forget what was kept and start counting afresh."""
        self._kept.clear()
        self._count = 0

    async def wait_for(self, count: int, within: timedelta) -> tuple[T, ...]:
        """Return what is kept once `count` have arrived in all, or raise TimeoutError."""
        async with asyncio.timeout(within.total_seconds()):
            while self._count < count:
                self._changed.clear()
                await self._changed.wait()
        return self.kept
