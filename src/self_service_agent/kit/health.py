"""How a process says that it lives, that it can work, and what it counts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from . import clock, metrics, tracing
from .service import Service
from .settings import read

Facts = Callable[[], Awaitable[Mapping[str, Any]]]

router = APIRouter(tags=["health"])


@dataclass(kw_only=True)
class Health:
    """Who this is, and what each part adds.

    `facts` are for people, `details` for those who look closer, `checks` must hold for the process to be ready.
    """

    service: str
    version: str
    ready: bool = False
    facts: list[Facts] = field(default_factory=list)
    details: list[Facts] = field(default_factory=list)
    checks: dict[str, Callable[[], Awaitable[bool]]] = field(default_factory=dict)


def health_of(app: FastAPI) -> Health:
    health: Health = app.state.health
    return health


def health_service(name: str, version: str) -> tuple[Service, Service]:
    """Return the first service of a process, which answers for all, and the last, which declares it ready."""
    settings = read(tracing.TracingSettings)

    @asynccontextmanager
    async def describe(app: FastAPI) -> AsyncIterator[None]:
        app.state.health = Health(service=name, version=version)
        metrics.BUILD.info({"service": name, "version": version})
        async with tracing.exporting(settings, service=name, version=version):
            yield

    @asynccontextmanager
    async def declare(app: FastAPI) -> AsyncIterator[None]:
        health_of(app).ready = True
        yield
        health_of(app).ready = False

    return Service(name="health", open=describe, routers=(router,)), Service(name="ready", open=declare)


@router.get("/health")
async def health(request: Request) -> dict[str, Any]:
    """Say who this is and whether its parts work."""
    health = health_of(request.app)
    checks = await _checked(health)
    summary: dict[str, Any] = {
        "status": "healthy" if all(checks.values()) else "unhealthy",
        "service": health.service,
        "version": health.version,
        "timestamp": clock.now().isoformat(),
    }
    for facts in health.facts:
        summary |= await facts()
    return summary


@router.get("/health/detailed")
async def detailed_health(request: Request) -> dict[str, Any]:
    """Say the same, check by check."""
    known = health_of(request.app)
    found: dict[str, Any] = {**await health(request), "checks": await _checked(known)}
    for details in known.details:
        found |= await details()
    return found


@router.get("/livez")
async def livez() -> dict[str, str]:
    """Answer at all: a process that does not is to be restarted."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"description": "Not ready"}})
async def readyz(request: Request, response: Response) -> dict[str, Any]:
    """Answer 200 while this process should get work."""
    health = health_of(request.app)
    checks = await _checked(health)
    ready = health.ready and all(checks.values())
    response.status_code = 200 if ready else 503
    return {"status": "ready" if ready else "not ready", "checks": checks}


@router.get("/metrics", response_class=Response)
async def get_metrics() -> Response:
    """Return the metrics in Prometheus' text format."""
    return Response(await metrics.shown(), media_type=CONTENT_TYPE_LATEST)


async def _checked(health: Health) -> dict[str, bool]:
    return {name: await check() for name, check in health.checks.items()}
