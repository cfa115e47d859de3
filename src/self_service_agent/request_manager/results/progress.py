"""Callers that follow a request without being owed its answer: told what is said on the way, and when to look."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypedDict

import orjson

from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.users import CHANGED_TOPIC

# What is said when the state has changed, or may have: the follower reads it again.
LOOK: Final = "look"
# What is said when this process stops: the follower goes on at another.
LEAVE: Final = "leave"
_REMEMBERED = 10_000


class Progress(TypedDict):
    """Something said about a request; a piece of its answer's text ends at `end`."""

    request_id: str
    kind: str
    data: dict[str, Any]
    end: int


class Followers:
    """The followers of this process, by request, and where else requests are followed.

    Whoever joins says so to all processes, and each of them answers that it has heard it. What was said or recorded
    before is found by looking after that, what comes later is told. Progress may be lost; the answer never comes this
    way, and every connection that was lost and is back has all followers look.
    """

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._queues: dict[str, set[asyncio.Queue[Progress]]] = {}
        self._elsewhere: OrderedDict[str, set[str]] = OrderedDict()
        self.is_leaving = False
        notifier.listen(f"progress/{notifier.replica}", self._receive)
        notifier.listen("progress/follow", self._remember)
        notifier.listen("progress/who", lambda _message: self._announce(self._queues))
        notifier.listen(CHANGED_TOPIC, lambda _user_id: self._look())  # the request may be erased
        notifier.notify("progress/who")

    @contextmanager
    def following(self, request_id: str) -> Iterator["asyncio.Queue[Progress]"]:
        """Yield a queue of what is said about a request that itself says who follows it."""
        queue: asyncio.Queue[Progress] = asyncio.Queue()
        queues = self._queues.setdefault(request_id, set())
        queues.add(queue)
        if self.is_leaving:
            queue.put_nowait(_said(request_id, LEAVE))
        try:
            yield queue
        finally:
            queues.discard(queue)
            if not queues:
                self._queues.pop(request_id, None)

    @contextmanager
    def joining(self, request_id: str) -> Iterator["asyncio.Queue[Progress]"]:
        """Yield a queue of what is said about any request from now on; look at its state once after entering."""
        with self.following(request_id) as queue:
            self._announce([request_id])
            yield queue

    def changed(self, request_ids: Iterable[str]) -> None:
        """Have the followers of these requests look, here and elsewhere; call it when the change is committed."""
        for request_id in request_ids:
            if request_id in self._queues:
                self._hand_out(_said(request_id, LOOK))
            for replica in self._elsewhere.pop(request_id, ()):
                self._notifier.notify(f"progress/{replica}", orjson.dumps(_said(request_id, LOOK)).decode())

    def leave(self) -> None:
        """Have all followers go on elsewhere, and those who still come: this process stops."""
        self.is_leaving = True
        for request_id in tuple(self._queues):
            self._hand_out(_said(request_id, LEAVE))

    def _announce(self, request_ids: Iterable[str]) -> None:
        for request_id in tuple(request_ids):
            message = orjson.dumps((request_id, self._notifier.replica)).decode()
            self._notifier.notify("progress/follow", message)

    def _remember(self, message: str) -> None:
        if not message:
            return
        request_id, replica = orjson.loads(message)
        if replica == self._notifier.replica:
            return
        self._elsewhere.setdefault(request_id, set()).add(replica)
        if len(self._elsewhere) > _REMEMBERED:
            self._elsewhere.popitem(last=False)
        self._notifier.notify(f"progress/{replica}", orjson.dumps(_said(request_id, LOOK)).decode())

    def _receive(self, message: str) -> None:
        if message:
            self._hand_out(orjson.loads(message))
            return
        self._look()  # messages were lost, nobody knows which

    def _look(self) -> None:
        for request_id in tuple(self._queues):
            self._hand_out(_said(request_id, LOOK))

    def _hand_out(self, progress: Progress) -> None:
        for queue in self._queues.get(progress["request_id"], ()):
            queue.put_nowait(progress)


def _said(request_id: str, kind: str) -> Progress:
    return Progress(request_id=request_id, kind=kind, data={}, end=0)
