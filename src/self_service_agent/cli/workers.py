"""Several processes behind one port: each runs the same services, and the database makes them one system.

The parent listens, starts them and replaces those that die. A worker ends when its standard input does, so that not
even `kill -9` of the parent leaves one behind.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog
from prometheus_client import multiprocess

from self_service_agent.kit.settings import Settings

from .settings import whole_environment

_STEADY_SECONDS = 60.0
_SHORTEST_PAUSE = 0.25
_LONGEST_PAUSE = 30.0

log = structlog.get_logger(__name__)


class WorkerSettings(Settings):
    """What a worker is told by its parent: the socket that it inherits."""

    ssa_worker_socket: int | None = None


def inherited(settings: WorkerSettings) -> socket.socket | None:
    """Return the socket that this process shares with its siblings, or None if it is nobody's worker."""
    return None if settings.ssa_worker_socket is None else socket.socket(fileno=settings.ssa_worker_socket)


def supervise(arguments: Sequence[str], listening: socket.socket, *, count: int) -> int:
    """Run `count` processes of the command with `arguments` until a signal says stop; return the exit code.

    One that dies is replaced, unless it dies before all of them have answered for the first time.
    """
    with tempfile.TemporaryDirectory(prefix="ssa-metrics-") as folder:
        variables = whole_environment(
            SSA_WORKER_SOCKET=str(listening.fileno()),
            PROMETHEUS_MULTIPROC_DIR=folder,  # the library's own name for where they put their counts together
        )
        os.set_inheritable(listening.fileno(), True)  # noqa: FBT003  # the function's signature
        return asyncio.run(_Workers(arguments, listening, environment=variables, metrics=Path(folder)).run(count))


class _Workers:
    """The workers of one parent."""

    def __init__(
        self, arguments: Sequence[str], listening: socket.socket, *, environment: Mapping[str, str], metrics: Path
    ) -> None:
        self._command = (sys.executable, "-m", "self_service_agent.cli", *arguments)
        self._listening = listening
        self._environment = environment
        self._metrics = metrics
        self._running: set[Process] = set()
        self._answering: set[Process] = set()
        self._stopping = asyncio.Event()
        self._code = 0

    async def run(self, count: int) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._have_read_again)
        ready = asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as tasks:
            keeping = [tasks.create_task(self._keep(ready)) for _ in range(count)]
            announcing = tasks.create_task(self._announce(ready, count))
            await asyncio.wait(keeping)
            announcing.cancel()
        return self._code

    def _stop(self) -> None:
        """Have every worker finish what is at hand; a second time, have it end at once."""
        self._stopping.set()
        for process in self._running:
            _tell(process, signal.SIGTERM)

    def _have_read_again(self) -> None:
        """Pass SIGHUP on; a worker that is still starting reads what changed anyway, and would die of it."""
        for process in self._answering:
            _tell(process, signal.SIGHUP)

    async def _announce(self, ready: asyncio.Semaphore, count: int) -> None:
        for _ in range(count):
            await ready.acquire()
        host, port = self._listening.getsockname()[:2]
        sys.stdout.write(f"ready http://{f'[{host}]' if ':' in host else host}:{port}\n")
        sys.stdout.flush()

    async def _keep(self, ready: asyncio.Semaphore) -> None:
        """Keep one worker running."""
        has_answered = False
        failures = 0
        while not self._stopping.is_set():
            begun = asyncio.get_running_loop().time()
            async with self._started() as process:
                answers = bool(process.stdout and await process.stdout.readline())
                if answers:
                    self._answering.add(process)
                if answers and not has_answered:
                    has_answered = True
                    ready.release()
                code = await process.wait()
            if self._stopping.is_set() or not has_answered:
                self._end(code)
                return
            steady = asyncio.get_running_loop().time() - begun >= _STEADY_SECONDS
            failures = 0 if steady else failures + 1
            pause = min(_SHORTEST_PAUSE * 2**failures, _LONGEST_PAUSE)
            log.error("workers.died", pid=process.pid, exit_code=code, pause_seconds=round(pause, 1))
            await self._rest(pause)

    def _end(self, code: int) -> None:
        self._code = self._code or code
        if code and not self._stopping.is_set():
            self._stop()

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[Process]:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            env=self._environment,
            pass_fds=(self._listening.fileno(),),
            start_new_session=True,  # a Ctrl-C reaches them through the parent, once
        )
        self._running.add(process)
        if self._stopping.is_set():
            process.send_signal(signal.SIGTERM)
        try:
            yield process
        finally:
            self._running.discard(process)
            self._answering.discard(process)
            multiprocess.mark_process_dead(process.pid, str(self._metrics))  # type: ignore[no-untyped-call]


def _tell(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)
