"""Durable accepts by the request manager alone: 202 for a request, authenticated, validated and on disk."""

import asyncio

from .house import generate, running_baseline, running_house
from .report import row, title

_BARE_PORT = 18099


async def run(*, scale: float) -> None:
    title("callers", "bare /s", "ours /s", "share", "p50 ms", "p95", "p99", "our CPU us", "PG CPU us")
    async with running_house("serve", "request-manager") as house:
        with running_baseline(house.database_url, _BARE_PORT):
            await _until_up(_BARE_PORT)
            for callers in (1, 8, 32, 64):
                total = int((2000 if callers == 1 else 12000) * scale)
                bare = await generate(_BARE_PORT, "/", callers=callers, total=total)
                before = house.cpu()
                ours = await generate(house.port, "/api/v1/requests/web?async=true", callers=callers, total=total)
                after = house.cpu()
                row(
                    callers,
                    f"{bare['per_second']:.0f}",
                    f"{ours['per_second']:.0f}",
                    f"{ours['per_second'] / bare['per_second']:.0%}",
                    f"{ours['p50']:.2f}",
                    f"{ours['p95']:.2f}",
                    f"{ours['p99']:.2f}",
                    f"{(after[0] - before[0]) / total * 1e6:.0f}",
                    f"{(after[1] - before[1]) / total * 1e6:.0f}",
                )


async def _until_up(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError("the baseline did not start")
