"""The real system as a child process: `ssa up` in a temporary home, stopped the way an operator stops it."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from self_service_agent.cli.settings import clean_environment

_START_SECONDS = 60
_STOP_SECONDS = 40
_READY = "ready "


class NotStarted(Exception):
    """The system did not come up; its log says why."""


@dataclass(frozen=True, kw_only=True)
class System:
    """A running system."""

    url: str
    process: asyncio.subprocess.Process

    async def stop(self) -> int | None:
        """Ask it to stop and return its exit code, or None if it does not."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                return await self.process.wait()
        return None


@asynccontextmanager
async def running_system(log: IO[bytes]) -> AsyncIterator[System]:
    """Yield a system of its own that writes to `log`; afterwards its process and its home are gone."""
    with TemporaryDirectory(prefix="ssa-demo-") as home:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "self_service_agent.cli", "up", "--port", "0",
            env=clean_environment(Path(home)), stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
        system: System | None = None
        try:
            system = System(url=await _ready(process), process=process)
            yield system
        finally:
            if process.returncode is None:
                await System(url="", process=process).stop()
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _ready(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise NotStarted("it has no standard output")
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = (await process.stdout.readline()).decode()
    except TimeoutError:
        raise NotStarted(f"it did not get ready within {_START_SECONDS} s") from None
    if not line.startswith(_READY):
        raise NotStarted("it ended before it was ready")
    return line.removeprefix(_READY).strip()
