"""The client of the request manager: ask, follow the answer as it comes, or fetch it later."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, Unpack
from urllib.parse import quote

import httpx2

from self_service_agent.kit.ids import new_id
from self_service_agent.shared_models.requests import RequestAccepted

from . import protocol
from .errors import Refused, StillWorking, Unreachable
from .protocol import Answer, Final, Later, RequestFields, RequestState, StreamEvent

# The server itself ends a wait after AGENT_TIMEOUT, two minutes unless it was changed.
_TIMEOUT = httpx2.Timeout(150, connect=5)


class RequestManagerClient:
    """Asks on behalf of one user. `client` is the HTTP client underneath; its headers may be changed.

    Every request carries an idempotency key, so one that is sent again after a lost connection is still one request.
    """

    def __init__(
        self,
        request_manager_url: str,
        user_id: str,
        auth: str | None = None,
        *,
        timeout: httpx2.Timeout = _TIMEOUT,
    ) -> None:
        """`auth` is an API key or a token."""
        headers = {} if auth is None else {"Authorization": f"Bearer {auth}"}
        self.client = httpx2.AsyncClient(base_url=request_manager_url, headers=headers, timeout=timeout)
        self.user_id = user_id

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()

    async def send_request(  # noqa: PLR0917  # existing programs may pass the four by position
        self,
        content: str,
        integration_type: str = "WEB",
        endpoint: str = "web",
        metadata: Mapping[str, Any] | None = None,
        **fields: Unpack[RequestFields],
    ) -> Answer:
        """Ask and return the answer, or raise a `ClientError`; `StillWorking` when it takes longer than a wait."""
        body = protocol.request_body(
            content, fields, user_id=self.user_id, integration_type=integration_type, metadata=metadata
        )
        response = await self._request("POST", _path(endpoint), json=body, headers=_headers(fields))
        return _answer(response)

    async def submit(
        self,
        content: str,
        integration_type: str = "WEB",
        endpoint: str = "web",
        *,
        metadata: Mapping[str, Any] | None = None,
        **fields: Unpack[RequestFields],
    ) -> RequestAccepted:
        """Ask without waiting: the answer goes to the channels that are named, and can be fetched."""
        body = protocol.request_body(
            content, fields, user_id=self.user_id, integration_type=integration_type, metadata=metadata
        )
        headers = {**_headers(fields), "Prefer": "respond-async"}
        response = await self._request("POST", _path(endpoint), json=body, headers=headers)
        return RequestAccepted.model_validate_json(response.content)

    async def stream(
        self,
        content: str,
        integration_type: str = "WEB",
        endpoint: str = "web",
        *,
        metadata: Mapping[str, Any] | None = None,
        **fields: Unpack[RequestFields],
    ) -> AsyncIterator[StreamEvent]:
        """Ask and yield what happens, ending with `Final`, or with `Later` when it takes longer than a wait.

        After a lost connection the request is taken up again; pieces of text may be missing then, `Final` is whole.
        """
        body = protocol.request_body(
            content, fields, user_id=self.user_id, integration_type=integration_type, metadata=metadata
        )
        headers = {**_headers(fields), "Accept": "text/event-stream"}
        for attempt in itertools.count(1):
            try:
                async with self.client.stream("POST", _path(endpoint), json=body, headers=headers) as response:
                    async for event in _events(response):
                        yield event
                        if isinstance(event, Final | Later):
                            return
            except httpx2.TransportError as error:
                await _pause(attempt, Unreachable(_reason(error)))
            except Refused as refused:
                await _pause(attempt, refused)
            else:
                await _pause(attempt, Unreachable("the stream ended before the answer"))

    async def get_status(self, request_id: str) -> RequestState:
        """Return how far a request is."""
        response = await self._request("GET", f"{_path(request_id)}/status")
        return RequestState.model_validate_json(response.content)

    async def get_result(self, request_id: str) -> Answer:
        """Return the answer to a request, or raise `StillWorking`, or `Gone` when there will be none."""
        return _answer(await self._request("GET", f"{_path(request_id)}/result"))

    async def _request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Return a successful answer, tried for more than once where that is safe and may help."""
        for attempt in itertools.count(1):
            try:
                response = await self.client.request(method, path, **options)
            except httpx2.TransportError as error:
                await _pause(attempt, Unreachable(_reason(error)))
                continue
            if response.is_success:
                return response
            await _pause(attempt, _refused(response))
        raise AssertionError  # counting never ends


async def _pause(attempt: int, error: Unreachable | Refused) -> None:
    """Wait for the next attempt, or raise `error` when there is none."""
    status, retry_after = (error.status, error.retry_after) if isinstance(error, Refused) else (None, None)
    wait = protocol.next_wait(status, attempt, retry_after=retry_after, random=random.random())  # noqa: S311  # jitter, not a secret
    if wait is None:
        raise error
    await asyncio.sleep(wait)


async def _events(response: httpx2.Response) -> AsyncIterator[StreamEvent]:
    if not response.is_success:
        await response.aread()
        raise _refused(response)
    async for said in httpx2.EventSource(response):
        event = protocol.read_event(said.event, said.data)
        if event is not None:
            yield event


def _answer(response: httpx2.Response) -> Answer:
    if response.status_code == HTTPStatus.ACCEPTED:
        raise StillWorking(RequestAccepted.model_validate_json(response.content))
    return Answer.model_validate_json(response.content)


def _refused(response: httpx2.Response) -> Refused:
    return protocol.refusal(response.status_code, response.content, retry_after=response.headers.get("retry-after"))


def _reason(error: httpx2.TransportError) -> str:
    return f"{error.request.url.host}: {error or type(error).__name__}"


def _headers(fields: RequestFields) -> dict[str, str]:
    return {"Idempotency-Key": fields.get("idempotency_key") or new_id()}


def _path(name: str) -> str:
    return f"/api/v1/requests/{quote(name, safe='')}"
