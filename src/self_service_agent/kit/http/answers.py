"""Headers that go with every answer of the API, whatever it is."""

from collections.abc import Iterable
from typing import Final

from starlette.types import Message, Scope, Send

# What anybody on the way leaves in the scope of a request to the API under this name goes with its answer, whatever
# that is: a list of headers.
ANSWER_HEADERS: Final = "answer_headers"

_NOT_STORED = (b"cache-control", b"no-store")


def completed(scope: Scope, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer with those left in the scope; it is not stored unless it says otherwise."""
    complete = [*headers, *scope.get(ANSWER_HEADERS, ())]
    if all(name != b"cache-control" for name, _ in complete):
        complete.append(_NOT_STORED)
    return complete


def completing(scope: Scope, send: Send) -> Send:
    """Return a `send` that completes the headers."""

    async def complete(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = completed(scope, message.get("headers", ()))
        await send(message)

    return complete
