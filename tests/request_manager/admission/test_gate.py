"""The gate refuses what is too much before anything is done about it, and never the health endpoints."""

import asyncio
import time

import pytest
from starlette.exceptions import HTTPException
from structlog.testing import capture_logs

from self_service_agent.request_manager.admission.gate import Gate

WORK = "/api/v1/requests/web"


class Door:
    """An application behind a gate; it answers once its own gate is open."""

    def __init__(self, gate):
        self.gate = gate
        self.opened = asyncio.Event()
        self.entered = 0

    async def app(self, scope, receive, send):
        self.entered += 1
        await self.opened.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def call(self, path=WORK):
        """Call and return the status and the headers."""
        said = []

        async def receive():
            raise AssertionError("nothing of the body is read here")

        async def send(message):
            said.append(message)

        await self.gate(self.app, {"type": "http", "method": "POST", "path": path, "headers": []}, receive, send)
        return said[0]["status"], dict(said[0]["headers"])


def hold_up(seconds):
    """Do what nothing in an event loop may do."""
    time.sleep(seconds)


async def test_so_many_are_let_in_and_more_when_some_are_through():
    door = Door(Gate(limit=2, patience=0))
    open_calls = [asyncio.ensure_future(door.call()) for _ in range(2)]
    await asyncio.sleep(0)

    status, headers = await door.call()
    door.opened.set()
    answers = await asyncio.gather(*open_calls)

    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert [status for status, _ in answers] == [200, 200]
    assert (await door.call())[0] == 200
    assert door.entered == 3


class SlowCaller:
    """Sends a body to an application that reads it, when it is told to."""

    def __init__(self, gate):
        self.gate = gate
        self.rest = asyncio.Event()
        self.answered = asyncio.Event()

    async def call(self):
        async def receive():
            await self.rest.wait()
            return {"type": "http.request", "body": b"{}", "more_body": False}

        async def app(_scope, receive, _send):
            await receive()
            await self.answered.wait()

        scope = {"type": "http", "method": "POST", "path": WORK, "headers": [(b"content-length", b"2")]}
        await self.gate(app, scope, receive, None)


async def test_a_body_that_does_not_end_takes_nobodys_place():
    gate = Gate(limit=1, patience=0)
    slow = [SlowCaller(gate) for _ in range(3)]
    calls = [asyncio.ensure_future(caller.call()) for caller in slow]
    await asyncio.sleep(0)
    door = Door(gate)
    door.opened.set()

    assert (await door.call())[0] == 200
    slow[0].rest.set()
    await asyncio.sleep(0)
    assert (await door.call())[0] == 503
    slow[1].rest.set()
    with pytest.raises(HTTPException) as refused:
        await calls[1]
    assert refused.value.status_code == 503
    slow[0].answered.set()
    await calls[0]
    assert (await door.call())[0] == 200
    calls[2].cancel()


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health", "/metrics", "/tools/servicenow/mcp", "/docs"])
async def test_what_is_not_the_api_passes(path):
    door = Door(Gate(limit=1, patience=0))
    waiting = asyncio.ensure_future(door.call())
    await asyncio.sleep(0)
    passing = asyncio.ensure_future(door.call(path))
    events = asyncio.ensure_future(door.call("/api/v1/events/cloudevents"))
    await asyncio.sleep(0)

    door.opened.set()

    assert [status for status, _ in await asyncio.gather(waiting, passing, events)] == [200] * 3


async def test_a_request_that_fails_or_is_cancelled_is_over():
    door = Door(Gate(limit=1, patience=0))
    cancelled = asyncio.ensure_future(door.call())
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    door.opened.set()

    assert (await door.call())[0] == 200


async def test_a_loop_that_is_behind_takes_nothing_new_until_it_has_caught_up():
    door = Door(Gate(limit=0, patience=0.2))
    door.opened.set()

    with door.gate.running():
        statuses = []
        for _ in range(4):
            hold_up(0.6)
            await asyncio.sleep(0)
            statuses.append((await door.call())[0])
        await asyncio.sleep(0.6)
        statuses.append((await door.call())[0])

    assert statuses[0] == 200  # a single pause is none
    assert statuses[2:] == [503, 503, 200]


async def test_being_overloaded_is_logged_once_and_not_for_each_refusal():
    door = Door(Gate(limit=1, patience=0))
    waiting = asyncio.ensure_future(door.call())
    await asyncio.sleep(0)

    with capture_logs() as logs:
        for _ in range(10):
            await door.call()
    door.opened.set()
    await waiting

    assert [(entry["event"], entry["open"]) for entry in logs] == [("admission.overloaded", 1)]
