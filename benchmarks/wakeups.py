"""From the commit of an answer in one request manager to its caller in another, on one database and under load."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI
from pydantic import SecretStr

from self_service_agent.agent_service.app import agent_service, conversations
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.eventing.bus import AfterCommit, Binding, Event
from self_service_agent.eventing.platform import bus_service, platform_of, platform_service
from self_service_agent.kit.database import DatabaseSettings, PooledConnection
from self_service_agent.kit.health import health_service
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service import Service, create_app
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.request_manager.admission.settings import AdmissionSettings
from self_service_agent.request_manager.app import authentication, request_manager
from self_service_agent.request_manager.settings import RequestManagerSettings
from self_service_agent.shared_models import events

from .house import generate, running_house
from .report import row, title


async def run(*, scale: float) -> None:
    """Have callers wait at a process that has no agents; the other has them, and handles nearly every answer first."""
    title("callers", "per second", "handled by", "p50 ms", "p95", "p99")
    async with running_house("serve", "request-manager") as house, _other(house.database_url) as committed:
        for callers in (1, 8, 32, 64):
            committed.clear()
            total = int((500 if callers == 1 else 4000) * scale)
            figures = await generate(
                house.port, "/api/v1/requests/web", callers=callers, total=total, with_answers=True
            )
            waits = [
                (answered - committed[request_id]) * 1000
                for request_id, answered in figures["answers"]
                if request_id in committed
            ]
            shares = statistics.quantiles(waits, n=100)
            row(
                callers,
                f"{figures['per_second']:.0f}",
                f"{len(waits) / total:.0%}",
                *(f"{shares[share - 1]:.2f}" for share in (50, 95, 99)),
            )


@asynccontextmanager
async def _other(database_url: str) -> AsyncIterator[dict[str, float]]:
    """Run the other request manager, and the agents, here; yield when it committed which answer."""
    parts = urlsplit(database_url)
    query = parse_qs(parts.query)
    database = DatabaseSettings(
        postgres_host=query["host"][0], postgres_port=int(query["port"][0]), postgres_db=parts.path.lstrip("/")
    )
    manager = RequestManagerSettings()
    agents = AgentServiceSettings(default_agent_id="echo-agent", turn_concurrency=256)
    committed: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="ssa-bench-") as folder:
        first, last = health_service("other", "0")
        app = create_app(
            "Other",
            "0",
            [
                first,
                platform_service(database, Path(folder)),
                _watching(committed),
                authentication(manager, policy=EgressPolicy()),
                request_manager(manager, limits=AdmissionSettings()),
                agent_service(agents, conversations(agents, ServiceTokens(SecretStr("x" * 32)), policy=EgressPolicy())),
                bus_service(),
                last,
            ],
        )
        async with app.router.lifespan_context(app):
            yield committed


def _watching(committed: dict[str, float]) -> Service:
    """Return a service that notes when the handlers registered after it have committed an answer."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        platform = platform_of(app)
        app.state.platform = replace(platform, bus=_WatchedBus(platform.bus, committed))
        yield

    return Service(name="watch", open=run)


class _WatchedBus:
    def __init__(self, bus: Any, committed: dict[str, float]) -> None:
        self._bus = bus
        self._committed = committed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    def consume(self, consumer: str, bindings: Mapping[str, Binding], *, durable: bool = True) -> None:
        watched = {kind: replace(binding, handle=self._watched(binding)) for kind, binding in bindings.items()}
        self._bus.consume(consumer, watched if consumer == events.REQUEST_MANAGER else bindings, durable=durable)

    def _watched(self, binding: Binding) -> Any:
        async def handle(happened: Sequence[Event[Any]], connection: PooledConnection) -> AfterCommit:
            after = await binding.handle(happened, connection)

            def call() -> None:
                moment = time.perf_counter()
                self._committed.update((event.data.request_id, moment) for event in happened)
                if after is not None:
                    after()

            return call

        return handle


def main() -> None:
    asyncio.run(run(scale=1.0))


if __name__ == "__main__":
    main()
