"""Errors in the form that the clients of some paths know, instead of as problem documents."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.types import Message, Send

from self_service_agent.kit.problems import CONTENT_TYPE

# Returns what a problem document says in another form, which is JSON too.
ErrorForm = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_REPLACED = frozenset({b"content-type", b"content-length"})


def speaking(form: ErrorForm, send: Send) -> Send:
    """Return a `send` that puts problem documents into `form`; everything else passes as it is."""
    begun: Message | None = None
    pieces: list[bytes] = []

    async def translate(message: Message) -> None:
        nonlocal begun
        if message["type"] == "http.response.start" and _is_problem(message):
            begun = message
            return
        if begun is None:
            await send(message)
            return
        pieces.append(message.get("body", b""))
        if message.get("more_body", False):
            return
        body = orjson.dumps(form(orjson.loads(b"".join(pieces))))
        kept = [(name, value) for name, value in begun["headers"] if name.lower() not in _REPLACED]
        headers = [*kept, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({**begun, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return translate


def _is_problem(message: Message) -> bool:
    kind: bytes = next((value for name, value in message.get("headers", ()) if name.lower() == b"content-type"), b"")
    return kind.startswith(CONTENT_TYPE.encode())
