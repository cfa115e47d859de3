"""Serving an application on a port until a signal says stop, then finishing what is at hand."""

import socket
import sys
from contextlib import AsyncExitStack
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from .ports import PortTaken

_DRAIN_SECONDS = 25
_BACKLOG = 2048


class Server(uvicorn.Server):
    """Says `ready` once it answers, and ends with success when it is asked to stop.

    It opens and closes the application itself, because uvicorn would turn what goes wrong there into a traceback.
    """

    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self._app = app
        self._opened = AsyncExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._opened.enter_async_context(self._app.router.lifespan_context(self._app))
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            sys.stdout.write(f"ready http://{f'[{host}]' if ':' in host else host}:{port}\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        if not self.force_exit:
            await self._opened.aclose()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop accepting and drain; a second signal does not wait any longer."""
        del sig, frame  # remembered signals would be raised again at the end, and the exit code would be theirs
        self.force_exit = self.should_exit
        self.should_exit = True


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


def serve(app: Starlette, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    # Named, not left to `auto`: a missing uvloop or httptools would cost a factor of four without a word.
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        backlog=_BACKLOG,
    )
    Server(config, app).run(sockets=[listening])
