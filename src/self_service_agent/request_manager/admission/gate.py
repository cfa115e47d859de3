"""The gate in front of the application: what it cannot do soon is refused before anything else is done about it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from self_service_agent.kit.problems import Problem, problem_response

from .callers import leave
from .rules import is_behind

_GUARDED = ("/api/", "/v1/")
_OUR_OWN = "/api/v1/events/"  # our services say these to each other, about work that was admitted before
_TICK_SECONDS = 0.25
_QUIET_SECONDS = 60.0
_REDUCED_CAPACITY = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"

_TOO_MUCH = "There is more to do at the moment than can be done soon."
_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})

log = structlog.get_logger(__name__)


class Gate:
    """Refuses requests to the API with 503 while `limit` of them are open, or the event loop is behind.

    A request is open once it is here to its last byte: who sends bodies that never end shuts nobody out.
    Behind is a loop whose timer comes more than `patience` seconds late, twice running. 0 is no limit. Everything
    outside of the API, such as the health endpoints, passes.
    """

    def __init__(self, *, limit: int, patience: float) -> None:
        self._limit = limit
        self._patience = patience
        self._open = 0
        self._due = 0.0
        self._before = self._latest = 0.0
        self._refused_at = -_QUIET_SECONDS

    async def __call__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: PLR0917  # ASGI
        """Hand a request on to `app`, or answer that it is too much."""
        path = scope["path"]
        if not path.startswith(_GUARDED) or path.startswith(_OUR_OWN):
            await app(scope, receive, send)
            return
        reason = self._overload()
        if reason is not None:
            await self._refusal(reason)(scope, receive, send)
            return
        entry = _Entry(self, receive)
        if not _has_body(scope):
            entry.enter()
        try:
            await app(scope, entry.receive, send)
        finally:
            entry.leave()
            leave(scope)

    def enter(self) -> None:
        """Count a request as open, or raise 503 if that is one too many."""
        if self._limit and self._open >= self._limit:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, _TOO_MUCH, headers={"retry-after": "1"})
        self._open += 1

    def leave(self) -> None:
        """Count a request as over."""
        self._open -= 1

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch the event loop for as long as this is open."""
        self._wind(time.monotonic())
        try:
            yield
        finally:
            self._timer.cancel()

    def _wind(self, now: float) -> None:
        self._due = now + _TICK_SECONDS
        self._timer = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        now = time.monotonic()  # not the loop's clock, which stands still while a callback runs
        self._before, self._latest = self._latest, now - self._due
        self._wind(now)

    def _overload(self) -> str | None:
        if self._limit and self._open >= self._limit:
            return "too many requests are open"
        if self._patience and is_behind(
            before=self._before, latest=self._latest, present=time.monotonic() - self._due, patience=self._patience
        ):
            return "the event loop is behind"
        return None

    def _refusal(self, reason: str) -> ASGIApp:
        now = time.monotonic()
        if now - self._refused_at >= _QUIET_SECONDS:
            self._refused_at = now
            log.warning("admission.overloaded", reason=reason, open=self._open, late_seconds=round(self._latest, 3))
        return problem_response(
            Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                _TOO_MUCH,
                type=_REDUCED_CAPACITY,
                headers={"retry-after": "1"},
            )
        )


class _Entry:
    """One request on its way through the gate."""

    __slots__ = ("_gate", "_is_in", "_receive")

    def __init__(self, gate: Gate, receive: Receive) -> None:
        self._gate = gate
        self._receive = receive
        self._is_in = False

    async def receive(self) -> Message:
        """Hand on what comes; with the end of the body the request is in."""
        message = await self._receive()
        if not self._is_in and not message.get("more_body", False):
            self.enter()
        return message

    def enter(self) -> None:
        self._gate.enter()
        self._is_in = True

    def leave(self) -> None:
        if self._is_in:
            self._gate.leave()


def _has_body(scope: Scope) -> bool:
    for name, _ in scope["headers"]:  # noqa: SIM110  # `any` takes three times as long, and this is on the hottest path
        if name in _BODY_HEADERS:
            return True
    return False
