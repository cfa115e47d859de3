"""Errors as callers see them: RFC 9457 problem documents, the same from every service."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from http.client import responses
from typing import Any

import orjson
import structlog
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from . import clock
from .validation import complaint

CONTENT_TYPE = "application/problem+json"

_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_CHALLENGE = "www-authenticate"
_TRY_LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class Problem(Exception):
    """An answer that is an error; raise it anywhere below an app that has problems installed.

    `detail` is for the caller to read; `extra` are further members of the document, such as `details`.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        title: str | None = None,
        type: str = "about:blank",  # noqa: A002  # the member's name in RFC 9457
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or title or _phrase(status))
        self.status = status
        self.title = title or _phrase(status)
        self.detail = detail
        self.type = type
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


def install(app: Starlette, table: Mapping[type[Exception], int] | None = None) -> None:
    """Make every error of `app` a problem; `table` gives the status of its domain errors.

    What is forbidden is told to `app.state.note_refusal(request, error)`, if there is one.
    Call it after every other `add_middleware`: what is added later stands outside the net for surprises.
    """
    app.add_exception_handler(Problem, _answer)
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    for kind, status in (table or {}).items():
        app.add_exception_handler(kind, _answer_with(status))
    app.add_middleware(_CatchSurprises)


async def answer_to(request: Request, error: Exception) -> Response:
    """Return what `error` means to the caller of the request's application; a surprise is logged and says nothing."""
    for kind in type(error).__mro__:
        if kind in request.app.exception_handlers:
            handler: Callable[[Request, Exception], Awaitable[Response]] = request.app.exception_handlers[kind]
            return await handler(request, error)
    return _surprise(request.scope, error)


def problem_response(problem: Problem, request_id: str | None = None) -> Response:
    """Return `problem` as a response, naming the request it belongs to."""
    return Response(
        orjson.dumps(_document(problem, request_id), default=str),
        status_code=problem.status,
        headers=_headers(problem),
        media_type=CONTENT_TYPE,
    )


def _headers(problem: Problem) -> Mapping[str, str]:
    """Return the problem's headers; a 401 names the credential that is wanted (RFC 9110 §11.6.1)."""
    if problem.status != HTTPStatus.UNAUTHORIZED or any(name.lower() == _CHALLENGE for name in problem.headers):
        return problem.headers
    return problem.headers | {_CHALLENGE: "Bearer"}


def _document(problem: Problem, request_id: str | None) -> dict[str, Any]:
    members: dict[str, Any] = problem.extra | {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "error": problem.detail or problem.title,
        "error_code": _error_code(problem.status),
        "timestamp": clock.now().isoformat(),
    }
    if problem.detail is not None:
        members["detail"] = problem.detail
    if request_id is not None:
        members["request_id"] = request_id
    return members


def _error_code(status: int) -> str:
    return "INTERNAL_ERROR" if status == HTTPStatus.INTERNAL_SERVER_ERROR else f"HTTP_{status}"


def _phrase(status: int) -> str:
    return responses.get(status, "Error")


def _request_id(scope: Scope) -> str | None:
    """Return the id that a middleware left in the request's state, or that is bound for the logs."""
    known = scope.get("state", {}).get("request_id") or structlog.contextvars.get_contextvars().get("request_id")
    return None if known is None else str(known)


async def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code in _WITHOUT_BODY:
        return Response(status_code=error.status_code, headers=error.headers)
    return _told(request, error, _problem_of(error))


def _answer_with(status: int) -> ExceptionHandler:
    async def answer(request: Request, error: Exception) -> Response:
        return _told(request, error, _from_domain(status, error))

    return answer


def _told(request: Request, error: Exception, problem: Problem) -> Response:
    if problem.status == HTTPStatus.FORBIDDEN and (note := getattr(request.app.state, "note_refusal", None)):
        note(request, error)
    return problem_response(problem, _request_id(request.scope))


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return _from_http_exception(error)
    if isinstance(error, RequestValidationError):
        return _from_validation(error.errors())
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR)


def _from_http_exception(error: HTTPException) -> Problem:
    detail: object = error.detail
    if isinstance(detail, str):
        said = None if detail in ("", _phrase(error.status_code)) else detail
        return Problem(error.status_code, said, headers=error.headers)
    return Problem(error.status_code, headers=error.headers, extra={"details": detail})


def _from_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    details = [{"field": _field(error), "message": complaint(error)} for error in errors]
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The request does not have the expected form.",
        extra={"details": details},
    )


def _field(error: Mapping[str, Any]) -> str:
    """Return the field's name as the caller wrote it, or the part of the request if no field is to blame."""
    place, *path = error["loc"]
    if error["type"] == "json_invalid" or not path:
        return str(place)
    return ".".join(map(str, path))


def _from_domain(status: int, error: Exception) -> Problem:
    """Return the problem of a domain error: its words below 500, its `retry_after` or `challenge` where it has one."""
    detail = str(error) if status < HTTPStatus.INTERNAL_SERVER_ERROR else None
    if challenge := getattr(error, "challenge", None):
        return Problem(status, detail or None, headers={_CHALLENGE: challenge})
    if status not in _TRY_LATER:
        return Problem(status, detail or None)
    seconds = getattr(error, "retry_after", None) or 1
    return Problem(status, detail or None, headers={"retry-after": str(math.ceil(seconds))})


class _CatchSurprises:
    """The net under everything: logs an unexpected error once, and tells the caller nothing of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            return  # nobody is there to be told anything
        except Exception as error:  # the ASGI edge: whatever it is, the caller gets an answer
            if started:
                raise  # nothing can be said any more; the server logs it and cuts the connection
            await _surprise(scope, error)(scope, receive, send)


def _surprise(scope: Scope, error: Exception) -> Response:
    request_id = _request_id(scope)
    if not isinstance(error, Problem | HTTPException | RequestValidationError):
        structlog.get_logger().error(
            "http.request_failed", method=scope["method"], path=scope["path"], request_id=request_id, exc_info=error
        )
    return problem_response(_problem_of(error), request_id)
