"""How much of a request is read: the net under every route, outside of which nothing is parsed."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from self_service_agent.kit.problems import Problem, problem_response


class BodyLimit:
    """Answers 413 to a body over `limit` bytes, by its announced length or as soon as it grows past it."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if announced.isdigit() and int(announced) > self._limit:
            await problem_response(self._problem())(scope, receive, send)
            return
        await self._app(scope, receive if announced else self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                raise HTTPException(413, str(self._problem()))
            return message

        return counted

    def _problem(self) -> Problem:
        return Problem(413, f"A request may have at most {self._limit} bytes.")
