"""A line to a server that breaks again and again."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_PIECE = 64


@asynccontextmanager
async def cutting(url, *, at):
    """Yield an address that leads to `url`; a connection is cut when it has carried the bytes `at` back twice."""
    target = urlsplit(url)

    async def relay(reader, writer):
        there, back = await asyncio.open_connection(target.hostname, target.port)
        sending = asyncio.ensure_future(_copy(reader, back, until=None))
        await _copy(there, writer, until=at)
        sending.cancel()
        writer.close()
        back.transport.abort()

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _copy(reader, writer, *, until):
    carried = b""
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        carried += piece
        if until is not None and carried.count(until) > 1:
            return
