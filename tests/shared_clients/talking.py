"""A client that talks to a server which says what a test wants."""

from contextlib import asynccontextmanager

from self_service_agent.doubles.receiver import Receiver
from self_service_agent.shared_clients import RequestManagerClient, Retries

AT_ONCE = Retries(attempts=3, first_wait_seconds=0)


@asynccontextmanager
async def talking(*script, auth="key", retries=AT_ONCE):
    async with Receiver.open() as server, RequestManagerClient(server.url, "alice", auth, retries=retries) as client:
        server.script(*script)
        yield server, client


def keys(server):
    return [each.headers["Idempotency-Key"] for each in server.received]
