"""A verifier that is open, and an issuer's key server that counts who asks."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.request_manager.authentication.key_sets import KeySets
from self_service_agent.request_manager.authentication.rules import KeysUnavailable, Unauthenticated
from self_service_agent.request_manager.authentication.tokens import TokenVerifier
from tests.request_manager.authentication.signing import NOW, an_issuer, rsa_jwk


@asynccontextmanager
async def open_verifier(*issuers, policy=None, rhythm=None, **options):
    policy = policy or EgressPolicy(allow_loopback=True)
    async with (
        Client.open(policy=policy, user_agent="ssa-test/1") as http,
        KeySets.open(issuers, http, rhythm) as key_sets,
    ):
        yield TokenVerifier(issuers, key_sets, **options)


async def outcome(verifier, token, *, now=NOW):
    """Return who brings the token, or None for somebody who is refused or cannot be judged now."""
    try:
        return await verifier.verify(token, now=now)
    except (Unauthenticated, KeysUnavailable):
        return None


@dataclass
class KeyServer:
    """Serves a JWK set as long as `status` is 200; `open` lets answers through."""

    keys: list = field(default_factory=lambda: [rsa_jwk()])
    status: int = 200
    body: bytes | None = None
    requests: int = 0
    url: str = ""
    open: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Condition = field(default_factory=asyncio.Condition)

    def issuer(self, **changes):
        return an_issuer(jwks=None, jwks_uri=self.url, **changes)

    async def wait_for(self, requests):
        async with asyncio.timeout(5), self.asked:
            await self.asked.wait_for(lambda: self.requests >= requests)

    async def answer(self, request):
        body = json.dumps({"keys": self.keys}).encode() if self.body is None else self.body
        async with self.asked:
            self.requests += 1
            self.asked.notify_all()
        await self.open.wait()
        return web.Response(status=self.status, body=body, headers={"location": self.url})


@asynccontextmanager
async def key_server():
    server = KeyServer()
    server.open.set()
    runner = web.ServerRunner(web.Server(server.answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    try:
        yield server
    finally:
        await runner.cleanup()
