"""A service: its routes, and what it opens while it runs. Several services can share one process and one port."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from . import problems, tracing
from .http.answers import completing
from .http.error_forms import ErrorForm, speaking
from .http.light import LightRoutes
from .http.limits import RequestLimit

# What opens may add to `app.state.farewells` what ends long answers: called when no new connections are taken any more.
# It may put a gate at `app.state.gate`: every request goes through it, and it decides whether to pass it on.
Gate = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]

_API = ("/api/", "/v1/")


@dataclass(frozen=True, kw_only=True)
class Service:
    """`open` enters what the service needs and puts it on `app.state`; it is left in reverse order at shut-down.

    `mounts` are whole applications by the path under which they answer; `open` runs their lifespans. `error_forms`
    are what errors look like under some paths, by how these begin, instead of as problem documents.
    """

    name: str
    open: Callable[[FastAPI], AbstractAsyncContextManager[None]]
    routers: Sequence[APIRouter] = ()
    mounts: Mapping[str, ASGIApp] = field(default_factory=dict)
    problems: Mapping[type[Exception], int] = field(default_factory=dict)
    error_forms: Mapping[str, ErrorForm] = field(default_factory=dict)


class _Application(FastAPI):
    """Takes requests to light routes there before its middlewares see them, and all of them through the gate."""

    light_routes: LightRoutes
    error_forms: Mapping[str, ErrorForm]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        for beginning, form in self.error_forms.items():
            if scope["path"].startswith(beginning):
                send = speaking(form, send)
        if "\x00" in scope["path"] and scope["path"].startswith(_API):
            # Nothing of ours has a name with a NUL, and PostgreSQL does not even take one to look for.
            await problems.problem_response(problems.Problem(HTTPStatus.NOT_FOUND))(scope, receive, send)
            return
        answer: ASGIApp = self.light_routes if self.light_routes.has(scope) else self._answer
        gate: Gate | None = self.state.gate
        if gate is None:
            await answer(scope, receive, send)
        else:
            await gate(answer, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(_API):
            send = completing(scope, send)
        with tracing.Span("http", Headers(scope=scope).get(tracing.HEADER)):
            await super().__call__(scope, receive, send)


def create_app(title: str, version: str, services: Sequence[Service]) -> FastAPI:
    """Return one application of all services, opened in their order."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for service in services:
                await stack.enter_async_context(service.open(app))
            yield

    # A path is right or it is not: a redirect would name whatever host the caller did.
    app = _Application(title=title, version=version, lifespan=lifespan, redirect_slashes=False)
    app.state.gate = None
    app.state.farewells = []
    app.error_forms = {path: form for service in services for path, form in service.error_forms.items()}
    app.light_routes = LightRoutes(app, [router for service in services for router in service.routers])
    app.add_middleware(RequestLimit)
    problems.install(app, {error: status for service in services for error, status in service.problems.items()})
    for service in services:
        for router in service.routers:
            app.include_router(router)
        for path, mounted in service.mounts.items():
            app.mount(path, mounted)
    return app


def take_leave(app: Starlette) -> None:
    """Have what lasts end now, because the process stops."""
    for end in getattr(app.state, "farewells", ()):
        end()


def open_to(origins: Sequence[str], app: ASGIApp) -> ASGIApp:
    """Return `app` as a browser may call it from pages of these origins, and read what it answers.

    Credentials are headers that a page sets itself; the browser's own, such as cookies, are not sent.
    """
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
        allow_headers=("authorization", "idempotency-key", "last-event-id", "prefer", "traceparent", "x-api-key"),
        expose_headers=("location", "ratelimit", "ratelimit-policy", "retry-after", "traceresponse"),
    )
