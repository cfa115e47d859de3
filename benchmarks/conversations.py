"""Whole laptop conversations over HTTP, to the ticket: turns of one process, by the rules and by an instant model.

And how large the checkpoint of a conversation is that goes on for 100 turns.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from self_service_agent.shared_clients.request_manager import RequestManagerClient

from .house import House, running_house
from .report import row, title

SAID = ("I need a new laptop", "2", "yes", "How long does delivery take?", "thank you")
_LONG = (
    "I need a new laptop",
    "What happens to my old laptop?",
    "1",
    "no",
    "change the model",
    "2",
    "status",
    "cancel",
)
_TURNS = 100


async def run(*, scale: float) -> None:
    title("by", "callers", "turns/s", "p50 ms", "p95", "CPU ms/turn", "PG CPU ms")
    async with running_house(UNDERSTANDER="rules") as house:
        for callers in (1, 8, 32):
            await _measure("rules", house, callers=callers, conversations=max(callers, int(120 * scale)))
        await _grow(house)
    async with (
        _instant_model() as url,
        running_house(UNDERSTANDER="llm", OPENAI_BASE_URL=f"{url}/v1", OPENAI_API_KEY="none", LLM_MODEL="scripted-1",
                      LLM_SESSION_TOKENS="10000000", LLM_DAILY_TOKENS="1000000000") as house,
    ):  # fmt: skip
        for callers in (1, 8, 32):
            await _measure("model", house, callers=callers, conversations=max(callers, int(120 * scale)))


async def _measure(name: str, house: House, *, callers: int, conversations: int) -> None:
    """Have `conversations`, so many at once; each person begins with `reset`, which is not counted."""
    seconds: list[float] = []
    waiting = list(range(conversations))

    async def converse(caller: int) -> None:
        who = f"caller-{caller}"
        async with RequestManagerClient(f"http://127.0.0.1:{house.port}", who, who) as client:
            while waiting:
                waiting.pop()
                await client.send_request("reset")
                for text in SAID:
                    begun = time.perf_counter()
                    await client.send_request(text)
                    seconds.append(time.perf_counter() - begun)

    before, begun = house.cpu(), time.perf_counter()
    await asyncio.gather(*(converse(caller) for caller in range(callers)))
    lasted = time.perf_counter() - begun
    used = [(after - start) / len(seconds) * 1e3 for start, after in zip(before, house.cpu(), strict=True)]
    ranked = sorted(seconds)
    row(
        name,
        callers,
        f"{len(seconds) / lasted:.0f}",
        f"{statistics.median(ranked) * 1e3:.1f}",
        f"{ranked[int(len(ranked) * 0.95)] * 1e3:.1f}",
        f"{used[0]:.1f}",
        f"{used[1]:.1f}",
    )


async def _grow(house: House) -> None:
    """Print the bytes of one conversation's checkpoint as its turns go by."""
    who = "caller-200"
    connection = await asyncpg.connect(house.database_url)
    sizes = []
    async with RequestManagerClient(f"http://127.0.0.1:{house.port}", who, who) as client:
        for turn in range(_TURNS):
            answer = await client.send_request(_LONG[turn % len(_LONG)])
            sizes.append(
                await connection.fetchval(
                    "SELECT octet_length(checkpoint::text) FROM conversations WHERE session_id = $1", answer.session_id
                )
            )
    await connection.close()
    rounds = [sizes[start : start + len(_LONG)] for start in range(0, _TURNS - _TURNS % len(_LONG), len(_LONG))]
    shown = ", ".join(str(max(each)) for each in rounds)
    print(f"largest checkpoint of every {len(_LONG)} turns, in bytes, over {_TURNS} turns: {shown}")


@asynccontextmanager
async def _instant_model() -> AsyncIterator[str]:
    """Yield the address of the scripted model, in a process of its own."""
    command = (sys.executable, "-m", "self_service_agent.cli", "serve", "mock-model", "--port", "0")
    child = subprocess.Popen(
        command, env=os.environ | {"SSA_ENV": "development", "LOG_LEVEL": "warning"}, stdout=subprocess.PIPE, text=True
    )
    try:
        line = await asyncio.to_thread(child.stdout.readline)
        yield line.removeprefix("ready ").strip()
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)
