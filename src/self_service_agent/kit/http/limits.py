"""How much of a request is read, and for how long: the net under every route, outside of which nothing is parsed."""

import asyncio
from collections.abc import Generator
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from types import coroutine
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from self_service_agent.kit.problems import Problem, problem_response

BODY_LIMIT = 1_048_576
_HEADER_LIMIT = 65_536
_PATIENCE = timedelta(seconds=30)


def refusal(scope: Scope, *, body_limit: int = BODY_LIMIT) -> Problem | None:
    """Return why a request is not read at all: its headers, or the body that it announces, are too large."""
    size = 0
    for name, value in scope["headers"]:
        size += len(name) + len(value)
        if name == b"content-length" and value.isdigit() and int(value) > body_limit:
            return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(body_limit))
    if size > _HEADER_LIMIT:
        return Problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Headers may have {_HEADER_LIMIT} bytes.")
    return None


class BodyReader:
    """Receives a body of up to `limit` bytes; 413 for one that grows past it, 408 for one that takes too long."""

    def __init__(self, receive: Receive, *, limit: int = BODY_LIMIT, patience: timedelta = _PATIENCE) -> None:
        self._receive = receive
        self._limit = limit
        self._patience = patience.total_seconds()
        self._deadline: float | None = None
        self._size = 0
        self._is_complete = False
        self._content: bytes | None = None

    async def read(self) -> bytes:
        """Return the whole body, as often as it is asked for."""
        if self._content is None:
            pieces = []
            while not self._is_complete:
                message = await self.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                pieces.append(message.get("body", b""))
            self._content = b"".join(pieces)
        return self._content

    async def receive(self) -> Message:
        """Return the next message; what comes after the body is that the caller hangs up."""
        if self._is_complete:
            return await self._receive()
        message = await self._next()
        self._size += len(message.get("body", b""))
        if self._size > self._limit:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(self._limit))
        self._is_complete = not message.get("more_body", False)
        return message

    async def _next(self) -> Message:
        """Take what is here already without a timer, which would cost more than everything else on the way."""
        receiving = self._receive().__await__()
        try:
            waits_for = next(receiving)
        except StopIteration as received:
            message: Message = received.value
            return message
        self._deadline = self._deadline or asyncio.get_running_loop().time() + self._patience
        try:
            async with asyncio.timeout_at(self._deadline):
                return await _rest_of(receiving, waits_for)
        except TimeoutError:
            raise HTTPException(
                HTTPStatus.REQUEST_TIMEOUT, "The body did not come in time.", headers={"connection": "close"}
            ) from None


@coroutine
def _rest_of(begun: Generator[Any, Any, Message], waits_for: Any) -> Generator[Any, Any, Message]:
    """Go on with what has begun and waits for something."""
    while True:
        try:
            yield waits_for
        except BaseException as error:  # noqa: BLE001  # cancellation too, which is the timer's way
            resume = partial(begun.throw, error)
        else:
            resume = partial(begun.send, None)
        try:
            waits_for = resume()
        except StopIteration as received:
            message: Message = received.value
            return message


class RequestLimit:
    """Answers 413 to a body over `limit` bytes, 431 to headers over 64 KiB, 408 to a body that does not come.

    A body is refused by its announced length, or as soon as it grows past the limit; `patience` bounds all of it.
    """

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT, patience: timedelta = _PATIENCE) -> None:
        self._app = app
        self._limit = limit
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = refusal(scope, body_limit=self._limit)
        if problem is not None:
            await problem_response(problem)(scope, receive, send)
            return
        await self._app(scope, BodyReader(receive, limit=self._limit, patience=self._patience).receive, send)


def _too_large(limit: int) -> str:
    return f"A request may have at most {limit} bytes."
