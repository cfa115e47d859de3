"""A server that is stopped lets nobody wait in vain: who follows a request is told to go on elsewhere."""

import asyncio
import os
import signal

import httpx2

from .command import PATIENCE_SECONDS, ssa, started

ALICE = {"authorization": "Bearer alice.johnson"}
QUESTION = {"user_id": "alice.johnson", "content": "hello"}


async def serving(home, name, *, port="0"):
    process = started("serve", name, "--port", port, home=home, stdout=-1)
    line = await asyncio.to_thread(process.stdout.readline)
    return process, line.decode().removeprefix("ready ").strip()


async def stopped(process):
    os.kill(process.pid, signal.SIGTERM)
    process.stdout.close()
    return await asyncio.to_thread(process.wait, PATIENCE_SECONDS)


async def test_streams_and_long_looks_end_with_a_word_about_where_to_go_on(tmp_path):
    """Nobody answers here: all of them would be open when the server gives up waiting, and be cut off."""
    assert ssa("migrate", home=tmp_path).returncode == 0
    process, url = await serving(tmp_path, "request-manager")
    async with httpx2.AsyncClient(base_url=url, headers=ALICE, timeout=PATIENCE_SECONDS) as http:
        asked = await http.post("/api/v1/requests/web?async=1", json=QUESTION)
        address = f"/api/v1/requests/{asked.json()['request_id']}"
        waiting = asyncio.ensure_future(http.get(f"{address}/result?wait=60"))
        streams = [
            http.stream("GET", f"{address}/events"),
            http.stream("POST", "/api/v1/requests/web", json=QUESTION, headers={"accept": "text/event-stream"}),
        ]
        begun = [asyncio.Event() for _ in streams]
        bodies = [asyncio.ensure_future(body_of(*each)) for each in zip(streams, begun, strict=True)]
        await asyncio.gather(*(event.wait() for event in begun))

        code = await stopped(process)
        told = await asyncio.gather(*bodies)
        looked = await waiting

    assert code == 0
    assert (looked.status_code, looked.json()["status"]) == (202, "pending")
    for body in told:
        assert "id: 1\nevent: status\n" in body
        assert "\nretry: 1000\nevent: resume\ndata: {" in body
    assert f'"events_url":"{address}/events"' in told[0]


async def body_of(stream, begun):
    async with stream as response:
        body = ""
        async for text in response.aiter_text():
            body += text
            begun.set()
        return body
