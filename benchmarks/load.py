"""A closed-loop HTTP load generator: one raw connection for each caller, in a process of its own."""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass, field

import uvloop


@dataclass
class Tally:
    """What is left to send, and what came back."""

    left: int
    latencies: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    answers: list[tuple[str, float]] | None = None
    open: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Caller(asyncio.Protocol):
    """Sends one request after the other on one connection."""

    def __init__(self, request: bytes, tally: Tally) -> None:
        self._request = request
        self._tally = tally
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return
        self._received = body[length:]
        status = head[9:12].decode()
        now = time.perf_counter()
        self._tally.latencies.append(now - self._sent_at)
        if self._tally.answers is not None:
            self._tally.answers.append((json.loads(body[:length])["request_id"], now))
        self._tally.statuses[status] = self._tally.statuses.get(status, 0) + 1
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._tally.open -= 1
        if self._tally.open == 0:
            self._tally.done.set()

    def _send(self) -> None:
        if self._tally.left <= 0:
            self._transport.close()
            return
        self._tally.left -= 1
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)


async def run(
    port: int, path: str, bodies: list[tuple[str, bytes]], *, total: int, with_answers: bool
) -> dict[str, object]:
    """Send `total` requests, one caller for each of `bodies` (key, body), and return the figures.

    `with_answers` adds which request was answered when, by the clock that all processes of the machine share.
    """
    loop = asyncio.get_running_loop()
    tally = Tally(left=total, open=len(bodies), answers=[] if with_answers else None)
    started = time.perf_counter()
    for key, body in bodies:
        request = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        await loop.create_connection(lambda request=request: Caller(request, tally), "127.0.0.1", port)
    async with asyncio.timeout(300):
        await tally.done.wait()
    seconds = time.perf_counter() - started
    ranked = sorted(tally.latencies)
    return {
        "per_second": len(ranked) / seconds,
        **{f"p{share}": ranked[int(len(ranked) * share / 100)] * 1000 for share in (50, 95, 99)},
        "statuses": tally.statuses,
        "answers": tally.answers,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--callers", type=int, required=True)
    parser.add_argument("--total", type=int, required=True)
    parser.add_argument("--extra", default="{}", help="more members of the body, in JSON")
    parser.add_argument("--with-answers", action="store_true", help="also say which request was answered when")
    given = parser.parse_args()
    bodies = [
        (
            f"caller-{number}",
            json.dumps({"user_id": f"caller-{number}", "content": "Hello"} | json.loads(given.extra)).encode(),
        )
        for number in range(given.callers)
    ]
    print(
        json.dumps(uvloop.run(run(given.port, given.path, bodies, total=given.total, with_answers=given.with_answers)))
    )


if __name__ == "__main__":
    main()
