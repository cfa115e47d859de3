"""The real system as a child process, and what it costs: processor time, memory, statements, commits."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

_SSA = Path(sys.executable).with_name("ssa")
_CALLERS = 256
_UNLIMITED = {
    "RATE_LIMIT_PER_MINUTE": "0",
    "TOOL_RATE_LIMIT_PER_MINUTE": "0",
    "MAX_IN_FLIGHT_PER_CALLER": "0",
    "MAX_IN_FLIGHT": "0",
    "MAX_LOOP_LAG_SECONDS": "0",
}


@dataclass
class House:
    """A running system and its database."""

    port: int
    home: Path
    process: psutil.Process
    postgres: psutil.Process
    database_url: str

    def cpu(self) -> tuple[float, float]:
        """Return the processor seconds that the system and its database have used."""
        return _seconds(self.process), _family_seconds(self.postgres)

    def memory(self) -> int:
        """Return the resident bytes of the system's own process."""
        return int(self.process.memory_info().rss)


@asynccontextmanager
async def running_house(*command: str, **environment: str) -> AsyncIterator[House]:
    """Yield `ssa up`, or another command, on a fresh home; its callers' keys are caller-0, caller-1 and so on."""
    keys = {f"caller-{number}": f"caller-{number}@company.com" for number in range(_CALLERS)}
    with tempfile.TemporaryDirectory(prefix="ssa-bench-") as folder:
        variables = os.environ | {
            "SSA_HOME": folder,
            "SSA_ENV": "development",
            "LOG_LEVEL": "warning",
            "WEB_API_KEYS": json.dumps(keys),
            **_UNLIMITED,
            **environment,
        }
        with (Path(folder) / "log").open("w") as log:
            child = subprocess.Popen(
                [_SSA, *(command or ("up",)), "--port", "0"],
                env=variables,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            yield await _met(child, Path(folder))
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(60)


async def _met(child: subprocess.Popen[str], home: Path) -> House:
    line = await asyncio.to_thread(child.stdout.readline)
    if not line.startswith("ready "):
        sys.exit(f"the system did not start:\n{(home / 'log').read_text()}")
    postmaster = int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    url = subprocess.run(
        [_SSA, "db", "url"], env=os.environ | {"SSA_HOME": str(home)}, capture_output=True, text=True, check=True
    )
    return House(
        port=int(line.rsplit(":", 1)[1]),
        home=home,
        process=psutil.Process(child.pid),
        postgres=psutil.Process(postmaster),
        database_url=url.stdout.strip(),
    )


@contextmanager
def running_baseline(database_url: str, port: int) -> Iterator[psutil.Process]:
    """Yield the bare baseline on `port`."""
    child = subprocess.Popen([sys.executable, "-m", "benchmarks.baseline", str(port), database_url])
    try:
        yield psutil.Process(child.pid)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)


async def generate(
    port: int,
    path: str,
    *,
    callers: int,
    total: int,
    extra: dict[str, object] | None = None,
    with_answers: bool = False,
) -> dict:
    """Run the load generator in its own process and return its figures."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.load",
        "--port",
        str(port),
        "--path",
        path,
        "--callers",
        str(callers),
        "--total",
        str(total),
        "--extra",
        json.dumps(extra or {}),
        *(["--with-answers"] if with_answers else []),
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    return json.loads(output)


async def is_quiet(connection: asyncpg.Connection) -> None:
    """Wait until no turn, event or delivery is open."""
    while await connection.fetchval(
        "SELECT EXISTS (SELECT FROM turns WHERE finished_at IS NULL) OR EXISTS (SELECT FROM event_inbox)"
        " OR EXISTS (SELECT FROM delivery_logs WHERE status IN ('PENDING', 'RETRYING'))"
    ):
        await asyncio.sleep(0.02)


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _family_seconds(process: psutil.Process) -> float:
    total = process.cpu_times().children_user + process.cpu_times().children_system + _seconds(process)
    for child in process.children():
        try:
            total += _seconds(child)
        except psutil.NoSuchProcess:
            continue
    return total
