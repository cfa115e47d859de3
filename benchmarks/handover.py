"""Ordered hand-over through the embedded bus: published in batches, handled in the order of their sessions."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from self_service_agent.eventing.bus import Binding, Event
from self_service_agent.eventing.embedded import EmbeddedBus
from self_service_agent.eventing.envelope import CloudEvent
from self_service_agent.kit.database import DatabaseSettings, open_pools, running_postgres
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models import migrate

from .report import row, title

_BATCH = 256
_TYPE = "com.example.happened"


class Happened(BaseModel):
    number: int


async def run(*, scale: float) -> None:
    total = int(50_000 * scale)
    title("events", "published/s", "handled/s", "in order")
    with tempfile.TemporaryDirectory(prefix="ssa-bench-") as home:
        async with running_postgres(DatabaseSettings(), Path(home)) as address:
            await migrate.upgrade(address)
            async with open_pools(address, size=4) as pools:
                bus = EmbeddedBus(pools, Notifier(), {_TYPE: ("bench",)})
                await _measure(bus, pools, total)


async def _measure(bus: EmbeddedBus, pools: Any, total: int) -> None:
    seen: dict[str, list[int]] = {}
    done = asyncio.Event()

    async def handle(events: Sequence[Event[Happened]], _connection: object) -> None:
        for event in events:
            seen.setdefault(event.partition_key, []).append(event.data.number)
        if sum(map(len, seen.values())) == total:
            done.set()

    bus.consume("bench", {_TYPE: Binding(data=Happened, handle=handle)}, durable=False)
    started = time.perf_counter()
    for start in range(0, total, _BATCH):
        async with pools.durable.acquire() as connection, connection.transaction():
            await bus.publish([_event(number) for number in range(start, min(start + _BATCH, total))], connection)
    published = time.perf_counter()
    async with bus.running():
        await done.wait()
        handled = time.perf_counter()
    in_order = all(numbers == sorted(numbers) for numbers in seen.values())
    row(total, f"{total / (published - started):.0f}", f"{total / (handled - published):.0f}", in_order)


def _event(number: int) -> CloudEvent:
    return CloudEvent(
        id=str(number),
        source="bench",
        type=_TYPE,
        time=datetime(2026, 1, 1, tzinfo=UTC),
        datacontenttype="application/json",
        extensions={"partitionkey": f"session-{number % 1000}"},
        data=b'{"number": %d}' % number,
    )
