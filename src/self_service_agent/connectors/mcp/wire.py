"""Carries MCP requests over one kept HTTP connection pool, each with a credential of its own.

It takes the place of the SDK's HTTP transport, which answers a refused connection by ending the whole client,
cannot tell a request that was never sent from an answer that was lost, and costs twice the time.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from itertools import count
from typing import Any

import anyio
from anyio.abc import TaskStatus
from mcp.shared.dispatcher import CallOptions, Dispatcher, OnNotify, OnNotifyIntercept, OnRequest
from mcp.shared.transport_context import TransportContext
from opentelemetry.propagate import inject

from self_service_agent.kit.http.client import Client, ConnectionFailed, EgressRefused, HttpError, Response

from . import protocol
from .protocol import SessionEnded, ToolError, ToolInDoubt, ToolRefused, ToolUnavailable

_HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
_SESSION = "Mcp-Session-Id"
_LARGEST_ANSWER = 1_048_576
_PATIENCE = timedelta(seconds=30)
_PATIENCE_AT_THE_END = timedelta(seconds=2)


class HttpDispatcher(Dispatcher[TransportContext]):
    """Sends each request as one POST in its caller's own task; what else the server says is not listened to."""

    def __init__(self, http: Client, url: str, *, headers: Callable[[], Mapping[str, str]]) -> None:
        self._http = http
        self._url = url
        self._headers = headers
        self._numbers = count(1)
        self._session_id: str | None = None
        self._is_handshake_made = False

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Return the server's result, or raise a `ToolError`."""
        options = opts or CallOptions()
        inject((params or {}).get("_meta", {}))
        number = next(self._numbers)
        within = timedelta(seconds=options["timeout"]) if "timeout" in options else _PATIENCE
        headers = options.get("headers", {})
        response = await self._post(protocol.request(number, method, params), headers=headers, within=within)
        self._note(method, response)
        content = protocol.unwrapped(response.headers.get("Content-Type", ""), response.content, number=number)
        return protocol.read_answer(response.status, content)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Tell the server, if it speaks a revision of the protocol in which clients tell it anything."""
        if self._is_handshake_made:
            headers = (opts or CallOptions()).get("headers", {})
            await self._post(protocol.notification(method, params), headers=headers, within=_PATIENCE)

    async def run(
        self,
        on_request: OnRequest,  # noqa: ARG002 - the protocol's signature
        on_notify: OnNotify,  # noqa: ARG002 - the protocol's signature
        on_notify_intercept: OnNotifyIntercept | None = None,  # noqa: ARG002 - the protocol's signature
        *,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Receive nothing until the session ends."""
        task_status.started()
        await anyio.sleep_forever()

    async def end(self) -> None:
        """Give the session back that the server gave us, if it did."""
        if self._session_id is not None:
            with suppress(HttpError):
                await self._http.request(
                    "DELETE", self._url, headers=self._all_headers({}), timeout=_PATIENCE_AT_THE_END
                )

    def _note(self, method: str, response: Response) -> None:
        if method == "initialize" and response.status == HTTPStatus.OK:
            self._is_handshake_made = True
            self._session_id = response.headers.get(_SESSION)
        elif self._session_id is not None and response.status == HTTPStatus.NOT_FOUND:
            raise SessionEnded("the server has ended the session")

    def _all_headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        session = {} if self._session_id is None else {_SESSION: self._session_id}
        return {**_HEADERS, **headers, **session, **self._headers()}

    async def _post(self, content: bytes, *, headers: Mapping[str, str], within: timedelta) -> Response:
        try:
            return await self._http.post(
                self._url,
                headers=self._all_headers(headers),
                content=content,
                timeout=within,
                max_response_bytes=_LARGEST_ANSWER,
            )
        except HttpError as error:
            raise _meaning(error) from error


def _meaning(error: HttpError) -> ToolError:
    match error:
        case ConnectionFailed():
            return ToolUnavailable("the tool server is out of reach")
        case EgressRefused():
            return ToolRefused("the tool server's address may not be called")
        case _:
            return ToolInDoubt("the tool server's answer was lost")
