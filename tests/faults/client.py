"""A client as it should be: it repeats what it asks, under the same Idempotency-Key, until it is answered."""

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from tests.faults.house import House

CHANNELS = ("EMAIL", "WEBHOOK")
_DEADLINE = aiohttp.ClientTimeout(total=30)
_POLL = 0.05  # how often somebody who was told to come back does
_LOST = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request that was accepted, and the answer that its sender got."""

    key: str
    login: str
    asked: str
    request_id: str
    session_id: str
    status: str
    answer: str
    channels: tuple[str, ...]


class Client:
    """Asks for many people; `exchanges` are in the order of the answers, `accepted` in that of the acceptances."""

    def __init__(self, http: aiohttp.ClientSession, house: House) -> None:
        self._http = http
        self._house = house
        self._keys = itertools.count()
        self.exchanges: list[Exchange] = []
        self.accepted: list[str] = []
        self.repeats = 0
        self.refusals: Counter[int] = Counter()

    async def ask(self, login: str, content: str) -> Exchange:
        """Ask and wait for the answer."""
        return await self._see_through(login, content, asynchronous=False)

    async def ask_later(self, login: str, content: str, *, channels: tuple[str, ...] = ()) -> Exchange:
        """Ask, be told that it is accepted, and come back for the answer."""
        return await self._see_through(login, content, asynchronous=True, channels=channels)

    async def ask_many(self, login: str, contents: list[str], *, channels: tuple[str, ...]) -> None:
        """Ask one thing after the other without waiting for any answer, then fetch them all."""
        posted = [
            (key := self._key(login), content, await self._post(login, content, key=key, channels=channels))
            for content in contents
        ]
        for key, content, accepted in posted:
            await self._follow(login, content, key=key, accepted=accepted, channels=channels)

    async def send_webhooks_to(self, login: str, *, email: str, url: str) -> None:
        """Have the person's answers sent to a receiver of their own."""
        change = {"integration_type": "WEBHOOK", "enabled": True, "config": {"url": url}}
        await self._until_done("POST", f"/api/v1/users/{email}/integrations", login, json=change)

    async def _see_through(
        self, login: str, content: str, *, asynchronous: bool, channels: tuple[str, ...] = ()
    ) -> Exchange:
        key = self._key(login)
        accepted = await self._post(login, content, key=key, asynchronous=asynchronous, channels=channels)
        return await self._follow(login, content, key=key, accepted=accepted, channels=channels)

    async def _post(
        self, login: str, content: str, *, key: str, asynchronous: bool = True, channels: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        body: dict[str, Any] = {"user_id": login, "content": content}
        headers = {"Idempotency-Key": key}
        if asynchronous:
            headers["Prefer"] = "respond-async"
        if channels:
            body["delivery"] = {"mode": "channels", "channels": list(channels)}
        said = await self._until_done("POST", "/api/v1/requests/web", login, json=body, headers=headers)
        self.accepted.append(said["request_id"])
        return said

    async def _follow(
        self, login: str, content: str, *, key: str, accepted: dict[str, Any], channels: tuple[str, ...]
    ) -> Exchange:
        said = accepted
        while "response" not in said:
            await asyncio.sleep(_POLL)
            said = await self._until_done("GET", f"/api/v1/requests/{accepted['request_id']}/result", login)
        exchange = Exchange(
            key=key,
            login=login,
            asked=content,
            request_id=said["request_id"],
            session_id=said["session_id"],
            status=said["status"],
            answer=said["response"]["content"],
            channels=channels,
        )
        self.exchanges.append(exchange)
        return exchange

    async def _until_done(
        self, method: str, path: str, login: str, *, json: Any = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Call until there is a 2xx; a door that is closed is tried again when it opens."""
        headers = {"Authorization": f"Bearer {login}", **(headers or {})}
        while True:
            await self._house.is_up.wait()
            try:
                async with self._http.request(
                    method, self._house.url + path, json=json, headers=headers, timeout=_DEADLINE
                ) as response:
                    if response.ok:
                        said: dict[str, Any] = await response.json()
                        return said
                    await self._note_refusal(response)
            except _LOST:
                self.repeats += 1

    async def _note_refusal(self, response: aiohttp.ClientResponse) -> None:
        """Count what is to be tried again; anything else is an error that a person would see."""
        self.refusals[response.status] += 1
        if response.status != HTTPStatus.SERVICE_UNAVAILABLE:
            raise AssertionError(f"{response.status} {await response.text()}")
        await asyncio.sleep(_POLL)

    def _key(self, login: str) -> str:
        return f"{login}/{next(self._keys)}"
