"""Looking at a request for a while: the caller waits here for news of it, and is owed nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

from fastapi import Query, Request
from starlette.requests import ClientDisconnect

from self_service_agent.request_manager.results.progress import LEAVE, Progress

from .dependencies import doors_of

_LONGEST_WAIT = 60
# The net under notifications that are lost together with the process that should have sent them.
SWEEP_SECONDS = 15.0
_GONE = "gone"
FoundT = TypeVar("FoundT")

Wait = Annotated[float, Query(ge=0, le=_LONGEST_WAIT, description="Seconds to wait for news.")]


async def look_until(
    has_news: Callable[[FoundT, FoundT], bool], read: Callable[[], Awaitable[FoundT]], *, request: Request, wait: float
) -> FoundT:
    """Return what `read` finds once that has news against what it found first, or what it finds after the wait.

    Raises `ClientDisconnect` when the caller hangs up. Nothing but memory is held meanwhile.
    """
    first = found = await read()
    if wait == 0 or has_news(first, found):
        return found
    deadline = asyncio.get_running_loop().time() + wait
    async with _attending(request) as queue:
        found = await read()
        is_early = True
        while is_early and not has_news(first, found):
            is_early = await _stirred(queue, until=deadline)
            found = await read()
    return found


@asynccontextmanager
async def _attending(request: Request) -> AsyncIterator["asyncio.Queue[Progress]"]:
    with doors_of(request).followers.joining(request.path_params["request_id"]) as queue:
        watching = asyncio.ensure_future(_watch(request, queue))
        try:
            yield queue
        finally:
            watching.cancel()


async def _watch(request: Request, queue: "asyncio.Queue[Progress]") -> None:
    """Put a last word into the queue when the caller has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    queue.put_nowait(Progress(request_id="", kind=_GONE, data={}, end=0))


async def _stirred(queue: "asyncio.Queue[Progress]", *, until: float) -> bool:
    """Return when there is a reason to look again, or False when it is the last time, also because we stop."""
    sweep = asyncio.get_running_loop().time() + SWEEP_SECONDS
    try:
        async with asyncio.timeout_at(min(until, sweep)):
            kinds = {(await queue.get())["kind"]}
            while kinds == {"token"}:
                kinds = {(await queue.get())["kind"]}
    except TimeoutError:
        return sweep < until
    while not queue.empty():
        kinds.add(queue.get_nowait()["kind"])
    if _GONE in kinds:
        raise ClientDisconnect
    return LEAVE not in kinds
