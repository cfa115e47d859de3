"""Reads deliveries as they are stored, and waits until they stand where a test wants them."""

import asyncio
from datetime import timedelta
from typing import Any

from self_service_agent.kit.database import Pool

_PATIENCE = timedelta(seconds=10)


async def delivery(pool: Pool, delivery_id: str) -> dict[str, Any]:
    row = await pool.fetchrow("SELECT * FROM delivery_logs WHERE delivery_id = $1", delivery_id)
    assert row is not None
    return dict(row)


async def statuses(pool: Pool) -> list[str]:
    """Return the status of every delivery, oldest first."""
    return [row["status"] for row in await pool.fetch("SELECT status FROM delivery_logs ORDER BY id")]


async def outcomes(pool: Pool, delivery_id: str) -> list[tuple[int, str]]:
    rows = await pool.fetch(
        "SELECT attempt, outcome FROM delivery_attempts WHERE delivery_id = $1 ORDER BY attempt", delivery_id
    )
    return [(row["attempt"], row["outcome"]) for row in rows]


async def until(pool: Pool, delivery_id: str, *wanted: str) -> dict[str, Any]:
    """Return the delivery once it has one of these statuses."""
    async with asyncio.timeout(_PATIENCE.total_seconds()):
        while (row := await delivery(pool, delivery_id))["status"] not in wanted:  # the database has no event
            await asyncio.sleep(0.005)
    return row
