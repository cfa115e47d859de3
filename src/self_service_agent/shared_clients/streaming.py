"""A request followed as it happens; after a lost connection its story goes on where it broke."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from .connection import Connection
from .errors import Busy, Unreachable
from .protocol import Final, Later, StatusChanged, StreamEvent, path_of, read_event

_ACCEPT = {"Accept": "text/event-stream"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A request to make, under the key that its headers hold."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class Story:
    """How much of a request was told, and so how the rest is heard; `heard` are the ids of what was told."""

    def __init__(self, begin: Asking | str) -> None:
        """Begin with a request to make, or with the id of one that was made."""
        self._begin = begin
        self._last_event_id = ""
        self.heard: set[str] = set()

    def call(self) -> dict[str, Any]:
        """Return what to ask for: the request itself as long as it has no id, then what came after the last event."""
        if isinstance(self._begin, Asking):
            headers = {**self._begin.headers, **_ACCEPT}
            return {"method": "POST", "path": self._begin.path, "json": self._begin.body, "headers": headers}
        last = {"Last-Event-ID": self._last_event_id} if self._last_event_id else {}
        return {"method": "GET", "path": f"{path_of(self._begin)}/events", "headers": {**last, **_ACCEPT}}

    def note(self, event: StreamEvent | None, event_id: str) -> None:
        """Remember what was told."""
        if isinstance(event, StatusChanged):
            self._begin = event.request_id
        if event_id:
            self._last_event_id = event_id
            self.heard.add(event_id)


async def told(connection: Connection, story: Story) -> AsyncIterator[StreamEvent]:
    """Yield what happens until there is no more, or raise when nothing new was heard for too long."""
    patience = connection.patience()
    while True:
        trouble: Unreachable | Busy = Unreachable("the stream ended before the answer")
        known = frozenset(story.heard)
        try:
            async with connection.streamed(**story.call()) as response:
                async for said in httpx2.EventSource(response):
                    event = read_event(said.event, said.data)
                    story.note(event, said.id)
                    if isinstance(event, Final | Later):
                        yield event
                        return
                    if event is not None and said.id not in known:
                        yield event
        except (Unreachable, Busy) as error:
            trouble = error
        if story.heard > known:
            patience.renew()
        await patience.pause(trouble)
