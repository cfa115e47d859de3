"""Deliveries: answers of asynchronous requests, planned, leased, posted to a webhook receiver here, and recorded."""

import asyncio
import time

import asyncpg

from .house import generate, is_quiet, running_house
from .report import row, title

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Receiver(asyncio.Protocol):
    """Answers every POST at once and counts them."""

    count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            length = int(self._received[:end].lower().split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self._received) < end + 4 + length:
                return
            self._received = self._received[end + 4 + length :]
            Receiver.count += 1
            self._transport.write(_OK)


async def run(*, scale: float) -> None:
    total = int(4000 * scale)
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    title("deliveries", "per second", "our CPU us", "PG CPU us")
    async with running_house(DEFAULT_AGENT_ID="echo-agent", DEFAULT_WEBHOOK_URL=url) as house:
        connection = await asyncpg.connect(house.database_url)
        cpu, started = house.cpu(), time.perf_counter()
        extra = {"delivery": {"mode": "channels", "channels": ["WEBHOOK"]}}
        await generate(house.port, "/api/v1/requests/web?async=true", callers=64, total=total, extra=extra)
        await is_quiet(connection)
        seconds = time.perf_counter() - started
        used = [(after - before) / total * 1e6 for before, after in zip(cpu, house.cpu(), strict=True)]
        row(Receiver.count, f"{total / seconds:.0f}", f"{used[0]:.0f}", f"{used[1]:.0f}")
        print("from the first request to the last receipt: accept, turn, plan and delivery together")
        await connection.close()
    server.close()
