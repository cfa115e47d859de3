"""A service: its routes, and what it opens while it runs. Several services can share one process and one port."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from . import problems
from .http.light import LightRoutes
from .http.limits import RequestLimit


@dataclass(frozen=True, kw_only=True)
class Service:
    """`open` enters what the service needs and puts it on `app.state`; it is left in reverse order at shut-down.

    `mounts` are whole applications by the path under which they answer; `open` runs their lifespans.
    """

    name: str
    open: Callable[[FastAPI], AbstractAsyncContextManager[None]]
    routers: Sequence[APIRouter] = ()
    mounts: Mapping[str, ASGIApp] = field(default_factory=dict)
    problems: Mapping[type[Exception], int] = field(default_factory=dict)


class _Application(FastAPI):
    """Takes requests to light routes there before its middlewares see them."""

    light_routes: LightRoutes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.light_routes.has(scope):
            await self.light_routes(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(title: str, version: str, services: Sequence[Service]) -> FastAPI:
    """Return one application of all services, opened in their order."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for service in services:
                await stack.enter_async_context(service.open(app))
            yield

    app = _Application(title=title, version=version, lifespan=lifespan)
    app.light_routes = LightRoutes(app, [router for service in services for router in service.routers])
    app.add_middleware(RequestLimit)
    problems.install(app, {error: status for service in services for error, status in service.problems.items()})
    for service in services:
        for router in service.routers:
            app.include_router(router)
        for path, mounted in service.mounts.items():
            app.mount(path, mounted)
    return app
