"""Serving an application on a port until a signal says stop, then finishing what is at hand."""

import asyncio
import gc
import os
import re
import signal
import socket
import sys
from contextlib import AsyncExitStack
from types import FrameType
from typing import Annotated, Any

import orjson
import uvicorn
from pydantic import BeforeValidator
from pydantic_settings import NoDecode
from starlette.applications import Starlette

from self_service_agent.kit.service import open_to, take_leave
from self_service_agent.kit.settings import Settings, SettingsError, read

from .ports import PortTaken

_DRAIN_SECONDS = 25
_BACKLOG = 2048
_ANYBODY = "*"
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
_ALWAYS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
)
_GC_THRESHOLDS = (20_000, 20, 20)
_ONLY_ENCRYPTED = ("strict-transport-security", "max-age=31536000")


def _origins(value: object) -> Any:
    if not isinstance(value, str):
        return value
    try:
        listed = orjson.loads(value) if value.lstrip().startswith("[") else filter(str.strip, value.split(","))
    except orjson.JSONDecodeError:
        raise ValueError("is not valid JSON") from None
    return tuple(_origin(each) for each in listed)


def _origin(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if text != _ANYBODY and not _ORIGIN.fullmatch(text):
        raise ValueError("must be origins such as https://desk.example.com, without a path, in small letters")
    return text


class BrowserSettings(Settings):
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)] = ()

    def allowed_origins(self, *, is_production: bool) -> tuple[str, ...]:
        """Return whose pages may call us, or raise `SettingsError` if that would be everybody's in production."""
        if is_production and _ANYBODY in self.cors_origins:
            raise SettingsError("CORS_ORIGINS: * is for development; name the origins")
        return self.cors_origins


class Server(uvicorn.Server):
    """Says `ready` once it answers, and ends with success when it is asked to stop.

    It opens and closes the application itself, because uvicorn would turn what goes wrong there into a traceback.
    """

    def __init__(self, config: uvicorn.Config, app: Starlette, *, is_worker: bool = False) -> None:
        super().__init__(config)
        self._app = app
        self._is_worker = is_worker
        self._opened = AsyncExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._opened.enter_async_context(self._app.router.lifespan_context(self._app))
        await super().startup(sockets)
        _collect_rarely()
        if self._is_worker:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._be_orphaned)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            sys.stdout.write(f"ready http://{f'[{host}]' if ':' in host else host}:{port}\n")
            sys.stdout.flush()

    def _be_orphaned(self) -> None:
        """Stop when standard input ends, and with it the parent."""
        if not os.read(sys.stdin.fileno(), 1):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        take_leave(self._app)  # heard once the next line has closed the doors
        await super().shutdown(sockets)
        if not self.force_exit:
            await self._opened.aclose()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop accepting and drain; a second signal does not wait any longer."""
        del sig, frame  # remembered signals would be raised again at the end, and the exit code would be theirs
        self.force_exit = self.should_exit
        self.should_exit = True


def _collect_rarely() -> None:
    """Spare the garbage collector what is here to stay, and most of its rounds: nearly all of ours is freed at once."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, or raise `PortTaken`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: without it asyncio does not recognise TCP and leaves Nagle's delay on.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise PortTaken(f"cannot listen on {host}:{port}: {error.strerror}. Try --port with another number.") from error
    return listening


def serve(app: Starlette, listening: socket.socket, *, is_production: bool = False, is_worker: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, a worker also until its parent ends.

    `is_production` decides how strict browsers are told to be.
    """
    origins = read(BrowserSettings).allowed_origins(is_production=is_production)
    # Named, not left to `auto`: a missing uvloop or httptools would cost a factor of four without a word.
    config = uvicorn.Config(
        open_to(origins, app) if origins else app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        headers=security_headers(is_production=is_production),
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        backlog=_BACKLOG,
    )
    if is_worker:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # its parent passes it on, and not every service has a use for it
    Server(config, app, is_worker=is_worker).run(sockets=[listening])


def security_headers(*, is_production: bool) -> list[tuple[str, str]]:
    """Return the headers of every answer; in production browsers are to come back encrypted only."""
    return [*_ALWAYS, _ONLY_ENCRYPTED] if is_production else list(_ALWAYS)
