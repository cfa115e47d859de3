"""Callers that follow a turn as it happens: what the agent says on the way, by request."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from self_service_agent.kit.notifications import Notifier

Progress = dict[str, Any]


class Followers:
    """The streams of this process, by request. Progress may be lost; the answer itself never comes this way."""

    def __init__(self, notifier: Notifier) -> None:
        self._queues: dict[str, asyncio.Queue[Progress]] = {}
        notifier.listen(f"progress/{notifier.replica}", self._receive)

    @contextmanager
    def following(self, request_id: str) -> Iterator["asyncio.Queue[Progress]"]:
        """Yield a queue of what is said about this request."""
        queue: asyncio.Queue[Progress] = asyncio.Queue()
        self._queues[request_id] = queue
        try:
            yield queue
        finally:
            del self._queues[request_id]

    def _receive(self, message: str) -> None:
        if not message:
            return
        progress: Progress = orjson.loads(message)
        queue = self._queues.get(progress["request_id"])
        if queue is not None:
            queue.put_nowait(progress)
