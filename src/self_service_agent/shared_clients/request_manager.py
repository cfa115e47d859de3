"""The client of the request manager: ask, follow the answer as it comes, or fetch it later."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, Unpack

import httpx2

from self_service_agent.kit.ids import new_id
from self_service_agent.shared_models.requests import RequestAccepted

from .authentication import Credential, auth_of, headers_of
from .connection import Connection
from .errors import StillWorking
from .listing import RequestFilters, RequestPage, params_of
from .protocol import Answer, RequestFields, RequestState, StreamEvent, path_of, read, request_body
from .retries import Retries
from .sessions import Sessions
from .streaming import Asking, Story, told

# The server itself ends a wait after AGENT_TIMEOUT, two minutes unless it was changed.
_TIMEOUT = httpx2.Timeout(150, connect=5)
_LONGEST_LOOK = 60.0
_BETWEEN_LOOKS = 1.0


class RequestManagerClient:
    """Asks on behalf of one user. `client` is the HTTP client underneath; its headers may be changed.

    Every request carries an idempotency key, so one that is sent again after a lost connection is still one request.
    What fails raises a `ClientError`.
    """

    def __init__(
        self,
        request_manager_url: str,
        user_id: str,
        auth: Credential | None = None,
        *,
        timeout: httpx2.Timeout = _TIMEOUT,
        retries: Retries | None = None,
    ) -> None:
        """`auth` is an API key or a token, a `ToolKey`, or what returns a fresh token each time it is called."""
        self.client = httpx2.AsyncClient(
            base_url=request_manager_url, headers=headers_of(auth), auth=auth_of(auth), timeout=timeout
        )
        self.user_id = user_id
        self._connection = Connection(self.client, retries or Retries())
        self.sessions = Sessions(self._connection)

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
        """Ask and return the answer, or raise `StillWorking` when it takes longer than a wait."""
        asking = self._asking(content, integration_type, endpoint, metadata=metadata, fields=fields)
        return _answer(await self._ask(asking))

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
        asking = self._asking(content, integration_type, endpoint, metadata=metadata, fields=fields)
        response = await self._ask(asking, prefer="respond-async")
        return read(RequestAccepted, response.content)

    def stream(
        self,
        content: str,
        integration_type: str = "WEB",
        endpoint: str = "web",
        *,
        metadata: Mapping[str, Any] | None = None,
        **fields: Unpack[RequestFields],
    ) -> AsyncIterator[StreamEvent]:
        """Ask and yield what happens, ending with `Final`, or with `Later` when it takes longer than a wait.

        After a lost connection it goes on where it broke.
        """
        asking = self._asking(content, integration_type, endpoint, metadata=metadata, fields=fields)
        return told(self._connection, Story(asking))

    def follow(self, request_id: str) -> AsyncIterator[StreamEvent]:
        """Yield what happens to a request that was made before, from its beginning to its `Final`."""
        return told(self._connection, Story(request_id))

    async def get_status(self, request_id: str, *, wait: float = 0) -> RequestState:
        """Return how far a request is; with `wait`, in seconds up to 60, as soon as that changes."""
        response = await self._connection.get(f"{path_of(request_id)}/status", waiting_seconds=wait)
        return read(RequestState, response.content)

    async def get_result(self, request_id: str, *, wait: float = 0) -> Answer:
        """Return the answer to a request, or raise `StillWorking`, or `Gone` when there will be none.

        With `wait`, in seconds up to 60, that is decided as soon as it can be.
        """
        return _answer(await self._connection.get(f"{path_of(request_id)}/result", waiting_seconds=wait))

    async def wait_for_result(self, request_id: str, *, within_seconds: float | None = None) -> Answer:
        """Return the answer to a request however long it takes, or raise `StillWorking` when the time is over."""
        loop = asyncio.get_running_loop()
        end = None if within_seconds is None else loop.time() + within_seconds
        while True:
            begun = loop.time()
            wait = _LONGEST_LOOK if end is None else max(0.0, min(_LONGEST_LOOK, end - begun))
            try:
                return await self.get_result(request_id, wait=wait)
            except StillWorking:
                if end is not None and loop.time() >= end:
                    raise
            # A server that does not wait is not asked without a pause.
            await asyncio.sleep(begun + min(wait, _BETWEEN_LOOKS) - loop.time())

    async def cancel(self, request_id: str) -> Answer:
        """Withdraw a request and return its answer, which says so; `Conflict` when an agent has begun, or is done."""
        return _answer(await self._connection.post_once(f"{path_of(request_id)}/cancel"))

    async def list_requests(self, **filters: Unpack[RequestFilters]) -> RequestPage:
        """Return one page of the requests that the filters name: one's own, or everybody's for operators."""
        response = await self._connection.get("/api/v1/requests", params=params_of(filters))
        return read(RequestPage, response.content)

    def _asking(
        self,
        content: str,
        integration_type: str,
        endpoint: str,
        *,
        metadata: Mapping[str, Any] | None,
        fields: RequestFields,
    ) -> Asking:
        body = request_body(content, fields, user_id=self.user_id, integration_type=integration_type, metadata=metadata)
        key = fields.get("idempotency_key") or new_id()
        return Asking(path=path_of(endpoint), body=body, headers={"Idempotency-Key": key})

    async def _ask(self, asking: Asking, **headers: str) -> httpx2.Response:
        return await self._connection.post_under_key(
            asking.path, json=asking.body, headers={**asking.headers, **headers}
        )


def _answer(response: httpx2.Response) -> Answer:
    if response.status_code == HTTPStatus.ACCEPTED:
        raise StillWorking(read(RequestAccepted, response.content))
    return read(Answer, response.content)
