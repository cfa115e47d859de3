"""Callers that wait in this process for the end of a turn that they brought themselves."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

Answer: TypeAlias = "asyncio.Future[str]"


class Listeners:
    """Futures by request; what they hear is the answer in JSON, once it is recorded."""

    def __init__(self) -> None:
        self._futures: dict[str, set[Answer]] = {}

    @contextmanager
    def listening(self, request_id: str) -> Iterator[Answer]:
        """Yield the future of an answer."""
        future: Answer = asyncio.get_running_loop().create_future()
        waiting = self._futures.setdefault(request_id, set())
        waiting.add(future)
        try:
            yield future
        finally:
            waiting.discard(future)
            if not waiting:
                self._futures.pop(request_id, None)

    def tell(self, request_id: str, response: str) -> None:
        """Hand out an answer, if somebody waits for it."""
        for future in self._futures.get(request_id, ()):
            if not future.done():
                future.set_result(response)
