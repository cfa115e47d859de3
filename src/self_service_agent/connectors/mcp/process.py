"""A tool server as a child process: a clean environment, bounded lines, and an end that comes with ours."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import anyio
import structlog
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter
from pydantic import ValidationError

_LONGEST_LINE = 1_048_576
_LONGEST_REMARK = 500
_GRACE = timedelta(seconds=2)

log = structlog.get_logger(__name__)

Incoming = SessionMessage | Exception


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to run. Of our environment it gets the few variables every program needs, and these."""

    name: str
    command: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Pipes:
    """Messages from and to the process; the incoming ones end when it does."""

    incoming: MemoryObjectReceiveStream[Incoming]
    outgoing: MemoryObjectSendStream[SessionMessage]
    ended: asyncio.Event


@asynccontextmanager
async def running(command: Command) -> AsyncIterator[Pipes]:
    """Run the command for as long as this is open; raises OSError if it cannot be started."""
    process = await asyncio.create_subprocess_exec(
        command.command,
        *command.arguments,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={**get_default_environment(), **command.environment},
        cwd=command.folder,
        limit=_LONGEST_LINE,
        start_new_session=True,  # so that whatever it starts can be ended with it
    )
    to_us, incoming = anyio.create_memory_object_stream[Incoming](0)
    outgoing, to_process = anyio.create_memory_object_stream[SessionMessage](0)
    ended = asyncio.Event()
    tasks = [
        asyncio.create_task(_read(process, to_us, ended, name=command.name)),
        asyncio.create_task(_write(process, to_process)),
        asyncio.create_task(_repeat_remarks(process, name=command.name)),
    ]
    try:
        yield Pipes(incoming=incoming, outgoing=outgoing, ended=ended)
    finally:
        await asyncio.shield(_end(process))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in (to_us, incoming, outgoing, to_process):
            stream.close()


async def _read(process: Process, to_us: MemoryObjectSendStream[Incoming], ended: asyncio.Event, *, name: str) -> None:
    assert process.stdout is not None  # noqa: S101  # it was opened with a pipe
    try:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            while line := await process.stdout.readline():
                if (message := _parsed(line, name=name)) is not None:
                    await to_us.send(message)
    except ValueError:  # what asyncio raises for a line without end
        log.warning("tools.line_too_long", server=name, limit=_LONGEST_LINE)
    finally:
        to_us.close()
        ended.set()


def _parsed(line: bytes, *, name: str) -> SessionMessage | None:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValidationError:
        if line.strip():
            log.warning("tools.not_a_message", server=name, size=len(line))
        return None


async def _write(process: Process, to_process: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None  # noqa: S101  # it was opened with a pipe
    with suppress(ConnectionError, anyio.ClosedResourceError):
        async for message in to_process:
            process.stdin.write(message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
            await process.stdin.drain()
    to_process.close()


async def _repeat_remarks(process: Process, *, name: str) -> None:
    """Put into the log what the server says beside the protocol."""
    assert process.stderr is not None  # noqa: S101  # it was opened with a pipe
    while chunk := await process.stderr.read(_LONGEST_REMARK * 8):
        for line in chunk.decode("utf-8", "replace").splitlines():
            if line.strip():
                log.info("tools.server_said", server=name, text=line[:_LONGEST_REMARK])


async def _end(process: Process) -> None:
    """Close its input, and if that does not make it go, end it and all it started."""
    assert process.stdin is not None  # noqa: S101  # it was opened with a pipe
    process.stdin.close()
    if not await _is_gone(process):
        _signal(process, signal.SIGTERM)
        if not await _is_gone(process):
            _signal(process, signal.SIGKILL)
            await process.wait()
    _signal(process, signal.SIGKILL)  # what it left behind in its group


async def _is_gone(process: Process) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_GRACE.total_seconds()):
            await process.wait()
    return process.returncode is not None


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
