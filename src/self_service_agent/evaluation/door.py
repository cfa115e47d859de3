"""The front door as a simulated person uses it: ask, ask again under the same key, come back for a late answer."""

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import orjson

from self_service_agent.doubles.servicenow.employees import MockEmployee
from self_service_agent.kit.http.client import Client, HttpError
from self_service_agent.kit.ids import new_id

from .records import Exchange

_LARGEST = 1_048_576
_PAUSE = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where one person asks."""

    http: Client
    url: str
    person: MockEmployee
    patience: timedelta = timedelta(seconds=60)

    async def ask(self, said: str, *, act: str, door: str = "web", key: str | None = None) -> Exchange:
        """Say something and wait for the answer, for as long as the person's patience lasts."""
        key = key or new_id()
        blank = Exchange(act=act, said=said, door=door, key=key, metadata={}, milliseconds=0)
        began = time.perf_counter()
        try:
            status, told = await self._post(f"/api/v1/requests/{door}", said, key=key)
            while status == HTTPStatus.ACCEPTED and time.perf_counter() - began < self.patience.total_seconds():
                status, told = await self._get(f"/api/v1/requests/{told['request_id']}/result?wait=2")
        except HttpError as error:
            return replace(blank, refused=str(error), milliseconds=_since(began))
        return _exchange(replace(blank, milliseconds=_since(began)), status, told)

    async def answer_to(self, request_id: str, *, act: str) -> Exchange:
        """Look for the answer to a request that nobody here made; it may not be there yet."""
        blank = Exchange(act=act, said="", door="", key="", metadata={}, milliseconds=0)
        status, told = await self._get(f"/api/v1/requests/{request_id}/result?wait=1")
        return _exchange(blank, status, told) if status == HTTPStatus.OK else blank

    async def _post(self, path: str, said: str, *, key: str) -> tuple[int, Any]:
        body = orjson.dumps({"user_id": self.person.login, "content": said})
        headers = {**self._credential, "Content-Type": "application/json", "Idempotency-Key": key}
        answer = await self.http.post(
            self.url + path, content=body, headers=headers, timeout=self.patience, max_response_bytes=_LARGEST
        )
        return answer.status, orjson.loads(answer.content)

    async def _get(self, path: str) -> tuple[int, Any]:
        answer = await self.http.get(
            self.url + path, headers=self._credential, timeout=self.patience + _PAUSE, max_response_bytes=_LARGEST
        )
        return answer.status, orjson.loads(answer.content)

    @property
    def _credential(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.person.login}"}


def _exchange(blank: Exchange, status: int, told: Any) -> Exchange:
    named = replace(blank, request_id=told.get("request_id"), session_id=told.get("session_id"))
    if status == HTTPStatus.ACCEPTED:
        return named
    if status != HTTPStatus.OK:
        return replace(named, refused=f"{status}: {told.get('detail') or told.get('title')}")
    response = told["response"]
    return replace(
        named,
        answer=response["content"],
        metadata=response["metadata"] | {"status": told["status"]},
        turn_milliseconds=response.get("processing_time_ms") or 0,
    )


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
