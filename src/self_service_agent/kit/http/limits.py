"""How much of a request is read, and for how long: the net under every route, outside of which nothing is parsed."""

import asyncio
from datetime import timedelta
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from self_service_agent.kit.problems import Problem, problem_response

_HEADER_LIMIT = 65_536
_PATIENCE = timedelta(seconds=30)


class RequestLimit:
    """Answers 413 to a body over `limit` bytes, 431 to headers over 64 KiB, 408 to a body that does not come.

    A body is refused by its announced length, or as soon as it grows past the limit; `patience` bounds all of it.
    """

    def __init__(self, app: ASGIApp, limit: int, patience: timedelta = _PATIENCE) -> None:
        self._app = app
        self._limit = limit
        self._patience = patience.total_seconds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = self._refusal(scope)
        if problem is not None:
            await problem_response(problem)(scope, receive, send)
            return
        await self._app(scope, self._limited(receive), send)

    def _refusal(self, scope: Scope) -> Problem | None:
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name == b"content-length" and value.isdigit() and int(value) > self._limit:
                return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large())
        if size > _HEADER_LIMIT:
            return Problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Headers may have {_HEADER_LIMIT} bytes.")
        return None

    def _limited(self, receive: Receive) -> Receive:
        read = 0
        complete = False
        deadline: float | None = None

        async def limited() -> Message:
            nonlocal read, complete, deadline
            if complete:  # what comes now is that the caller hangs up
                return await receive()
            deadline = deadline or asyncio.get_running_loop().time() + self._patience
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    HTTPStatus.REQUEST_TIMEOUT, "The body did not come in time.", headers={"connection": "close"}
                ) from None
            read += len(message.get("body", b""))
            if read > self._limit:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large())
            complete = not message.get("more_body", False)
            return message

        return limited

    def _too_large(self) -> str:
        return f"A request may have at most {self._limit} bytes."
