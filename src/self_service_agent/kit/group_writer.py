"""Group commit: things that arrive together are written together by one statement."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
_GROUP_LIMIT = 64


class Overloaded(Exception):
    """More is waiting to be written than can be written soon; try again later."""


class GroupWriter(Generic[ItemT, ResultT]):
    """Writes what is waiting, up to 64 at a time and without any artificial delay.

    Those that submit under different keys take turns, one item each: who has a thousand items waiting holds up nobody
    else's. The items of one key are written in the order in which they came.

    `write` gets a group and returns one result for each item, in order; a result may be an exception, which then
    reaches that item's caller alone. If `write` raises one of `rejections` for a group of several, each item is
    written again alone, so that one bad item fails only itself. A caller that is cancelled leaves its item to be
    written all the same.
    """

    def __init__(
        self,
        write: Callable[[Sequence[ItemT]], Awaitable[Sequence[ResultT | Exception]]],
        *,
        rejections: tuple[type[Exception], ...],
        limit: int = 4096,
    ) -> None:
        self._write = write
        self._rejections = rejections
        self._limit = limit
        self._lines: dict[Hashable, deque[tuple[ItemT, asyncio.Future[ResultT]]]] = {}
        self._turns: deque[Hashable] = deque()  # the keys with something waiting, the next one first
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None

    async def submit(self, item: ItemT, *, key: Hashable = None) -> ResultT:
        """Return the result for `item` once its group is committed, or raise `Overloaded`."""
        if self._waiting >= self._limit:
            raise Overloaded
        future: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._line_up(key, (item, future))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain(), context=contextvars.Context())
        return await future

    async def close(self) -> None:
        """Wait until everything submitted is written."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _drain(self) -> None:
        try:
            while self._waiting:
                count = min(self._waiting, _GROUP_LIMIT)
                await self._settle([self._next() for _ in range(count)])
        finally:
            self._task = None

    def _line_up(self, key: Hashable, entry: tuple[ItemT, asyncio.Future[ResultT]]) -> None:
        line = self._lines.get(key)
        if line is None:
            self._lines[key] = deque((entry,))
            self._turns.append(key)
        else:
            line.append(entry)
        self._waiting += 1

    def _next(self) -> tuple[ItemT, asyncio.Future[ResultT]]:
        key = self._turns.popleft()
        line = self._lines[key]
        entry = line.popleft()
        if line:
            self._turns.append(key)
        else:
            del self._lines[key]
        self._waiting -= 1
        return entry

    async def _settle(self, group: list[tuple[ItemT, asyncio.Future[ResultT]]]) -> None:
        try:
            results = await self._write([item for item, _ in group])
        except self._rejections as error:
            if len(group) == 1:
                _resolve(group[0][1], error)
                return
            for entry in group:
                await self._settle([entry])
        except Exception as error:  # noqa: BLE001  # the callers get it; the writer must go on for the others
            for _, future in group:
                _resolve(future, error)
        else:
            for (_, future), result in zip(group, results, strict=True):
                _resolve(future, result)


def _resolve(future: "asyncio.Future[ResultT]", result: ResultT | Exception) -> None:
    if future.cancelled():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
        future.exception()  # a caller that has gone would leave it "never retrieved"
    else:
        future.set_result(result)
