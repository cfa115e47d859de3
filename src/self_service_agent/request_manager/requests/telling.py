"""The events of a stream, numbered by how far the story is told: any process can go on where another left off.

1 is that the request waits, 2 that an agent is at it, 2 + n the first n characters of the answer's text, and `final`
the whole answer. What a number stands for is found from the stored request alone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from pydantic_core import to_json

from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.results.progress import Progress
from self_service_agent.shared_models.requests import RequestStatus

_PENDING, _PROCESSING, _FINAL = 1, 2, 2**31
_FINAL_ID: Final = "final"
_PIECE = re.compile(r"\S+\s*|\s+")
_DIGITS = 9
_RETRY_MILLISECONDS = 1000


class Teller(Protocol):
    """Puts what happens to a request into the lines of a stream."""

    def status(self, status: RequestStatus, data: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell how far a request is that is not answered yet."""
        ...

    def said(self, progress: Progress) -> Iterator[bytes]:
        """Tell what was said on the way."""
        ...

    def answer(self, content: str, result: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell the rest of the answer's text, and the whole answer."""
        ...

    def later(self, accepted: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell that the answer takes longer than the stream lives, and where it will be."""
        ...

    def failed(self, problem: Problem) -> Iterator[bytes]:
        """Tell that there will be no answer, and why."""
        ...

    def resume(self, accepted: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell where the story goes on at once; nothing if there is no such place, and then the stream stays."""
        ...


class Telling:
    """What one stream has told; each method yields the events that it has not told yet, in their order."""

    def __init__(self, *, after: int = 0) -> None:
        self._told = after

    @property
    def is_over(self) -> bool:
        return self._told >= _FINAL

    def status(self, status: RequestStatus, data: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell how far a request is that is not answered yet."""
        yield from self._tell(_PROCESSING if status is RequestStatus.PROCESSING else _PENDING, "status", data)

    def said(self, progress: Progress) -> Iterator[bytes]:
        """Tell what was said on the way; text that does not join what is told comes with the answer."""
        data, end = progress["data"], progress["end"]
        match progress["kind"]:
            case "status":
                yield from self._tell(_PROCESSING, "status", data)
            case "token" if end - len(data["text"]) == self._characters:
                yield from self._tell(_PROCESSING + end, "token", data)
            case "tool":  # no part of the story: what a tool does is over when the answer is there
                yield event("tool", data)
            case _:
                pass

    def answer(self, content: str, result: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell the rest of the answer's text, and the whole answer."""
        for piece in _PIECE.finditer(content, self._characters):
            yield from self._tell(_PROCESSING + piece.end(), "token", {"text": piece[0]})
        yield from self._tell(_FINAL, "final", result)

    def later(self, accepted: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell where the answer will be."""
        yield event("accepted", accepted)

    def failed(self, problem: Problem) -> Iterator[bytes]:
        """Tell that there will be no answer, and why."""
        yield event("error", {"status": problem.status, "title": problem.title, "detail": problem.detail})

    def resume(self, accepted: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell where the story goes on at once, after the last number."""
        address = f"/api/v1/requests/{accepted['request_id']}/events"
        yield b"retry: %d\n" % _RETRY_MILLISECONDS + event("resume", {**accepted, "events_url": address})

    @property
    def _characters(self) -> int:
        return max(self._told - _PROCESSING, 0)

    def _tell(self, position: int, kind: str, data: Mapping[str, Any]) -> Iterator[bytes]:
        if position > self._told:
            self._told = position
            known_as = _FINAL_ID if position == _FINAL else str(position)
            yield f"id: {known_as}\n".encode() + event(kind, data)


def event(kind: str, data: Mapping[str, Any]) -> bytes:
    """Return an event that is no part of the story, such as where the answer will be."""
    return b"event: " + kind.encode() + b"\ndata: " + to_json(data) + b"\n\n"


def position_of(last_event_id: str | None) -> int:
    """Return how far a caller was told; all is told again to one that names what we never gave out."""
    match last_event_id:
        case None:
            return 0
        case "final":
            return _FINAL
        case digits if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS:
            return int(digits)
        case _:
            return 0
