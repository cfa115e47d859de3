"""A raw server on loopback that counts connections and answers with whatever it is given."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawPeer:
    port: int = 0
    connections: int = 0
    requests: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@asynccontextmanager
async def raw_peer(answer: Answer, *, per_connection: int = 1) -> AsyncIterator[RawPeer]:
    """Yield a peer that reads so many requests per connection, lets `answer` write each time, and closes."""
    peer = RawPeer()
    tasks: set[asyncio.Task] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.connections += 1
        tasks.add(asyncio.current_task())
        try:
            for _ in range(per_connection):
                await reader.readuntil(b"\r\n\r\n")
                peer.requests += 1
                await answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def saying(content: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return answer
