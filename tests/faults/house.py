"""The system under test in a process of its own, which can be killed at any moment and started again."""

import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self

from self_service_agent.cli.addresses import address_of
from self_service_agent.kit.database import Address, DatabaseSettings

_START = 60.0
# What is tried here is that nothing is lost, not that too much is refused.
_UNLIMITED = dict.fromkeys(
    (
        "RATE_LIMIT_PER_MINUTE",
        "TOOL_RATE_LIMIT_PER_MINUTE",
        "MAX_IN_FLIGHT_PER_CALLER",
        "MAX_IN_FLIGHT",
        "MAX_LOOP_LAG_SECONDS",
    ),
    "0",
)
_HANDED_ON = ("PATH", "PYTHONPATH", "HOME", "TMPDIR", "LANG")
_PORTS = range(20_000, 32_000)  # below those of outgoing connections, which could take it while nobody listens
_ROOT = Path(__file__).parents[2]
SSA = (str(Path(sys.executable).parent / "ssa"), "up")


class House:
    """One installation: its home folder and its port stay, its process comes and goes."""

    def __init__(self, home: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._home = home
        self._port = free_port()
        self._command = (*command, "--port", str(self._port))
        self._environment = {**_inherited(), **_UNLIMITED, **environment, "SSA_HOME": str(home)}
        self._process: asyncio.subprocess.Process | None = None
        self.is_up = asyncio.Event()
        self.start_seconds: list[float] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, home: Path, command: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Self]:
        """Yield a house that is up; it is stopped in the end, and its database with it."""
        house = cls(home, command, environment)
        try:
            await house.start()
            yield house
        finally:
            await house.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def database(self) -> Address:
        """Where the database is, which outlives the process."""
        return address_of(DatabaseSettings(), self._home)

    async def start(self) -> None:
        """Start the process and return once it answers."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        with (self._home / "stderr.log").open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdout=asyncio.subprocess.PIPE, stderr=errors, env=self._environment, cwd=_ROOT
            )
        async with asyncio.timeout(_START):
            said = await self._process.stdout.readline() if self._process.stdout else b""
        if not said.startswith(b"ready "):
            raise AssertionError(f"no start: {(self._home / 'stderr.log').read_text()[-2000:]}")
        self.start_seconds.append(loop.time() - began)
        self.is_up.set()

    async def kill(self) -> None:
        """End the process as a power cut would; the database server goes on."""
        if self._process is None:
            return
        self.is_up.clear()  # first, so that nobody knocks at a closed door in a loop
        with suppress(ProcessLookupError):
            self._process.kill()
        await self.died()

    async def died(self) -> int:
        """Wait for the process to end and return its exit code."""
        if self._process is None:
            return 0
        await self._process.communicate()
        self.is_up.clear()
        code, self._process = self._process.returncode, None
        return code or 0

    async def stop(self) -> int:
        """Ask the process to finish and return its exit code."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
        return await self.died()

    def kill_database(self) -> None:
        """Kill the embedded PostgreSQL's first process; the others of the server notice and leave."""
        pid_file = self._home / "postgres" / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)


def free_port() -> int:
    """Return a port that stays free while nobody listens on it."""
    for port in random.sample(_PORTS, k=len(_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


def _inherited() -> dict[str, str]:
    """Return what the process needs of our environment; settings that happen to be in it would change the outcome."""
    environment = os.environ  # handed on, not read
    return {name: environment[name] for name in _HANDED_ON if name in environment}
