"""Carries MCP requests over one kept HTTP connection pool, each with a credential of its own.

It takes the place of the SDK's HTTP transport, which answers a refused connection by ending the whole client,
cannot tell a request that was never sent from an answer that was lost, and costs twice the time.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count
from typing import Any

import anyio
from anyio.abc import TaskStatus
from mcp.shared.dispatcher import CallOptions, Dispatcher, OnNotify, OnNotifyIntercept, OnRequest
from mcp.shared.transport_context import TransportContext
from opentelemetry.propagate import inject

from self_service_agent.kit.http.client import Client, ConnectionFailed, EgressRefused, HttpError, Response

from . import protocol
from .protocol import ToolInDoubt, ToolRefused, ToolUnavailable

_HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
_LARGEST_ANSWER = 1_048_576
_PATIENCE = timedelta(seconds=30)


class HttpDispatcher(Dispatcher[TransportContext]):
    """Sends each request as one POST in its caller's own task; the server never speaks first."""

    def __init__(self, http: Client, url: str, *, credential: Callable[[], str]) -> None:
        self._http = http
        self._url = url
        self._credential = credential
        self._numbers = count(1)

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Return the server's result, or raise a `ToolError`."""
        options = opts or CallOptions()
        inject((params or {}).get("_meta", {}))
        content = protocol.request(next(self._numbers), method, params)
        headers = _HEADERS | options.get("headers", {}) | {"Authorization": f"Bearer {self._credential()}"}
        within = timedelta(seconds=options["timeout"]) if "timeout" in options else _PATIENCE
        response = await self._post(content, headers=headers, within=within)
        return protocol.read_answer(response.status, response.content)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Do nothing: the protocol has no notifications from clients over HTTP."""

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

    async def _post(self, content: bytes, *, headers: Mapping[str, str], within: timedelta) -> Response:
        try:
            return await self._http.post(
                self._url, headers=headers, content=content, timeout=within, max_response_bytes=_LARGEST_ANSWER
            )
        except ConnectionFailed as error:
            raise ToolUnavailable("the tool server is out of reach") from error
        except EgressRefused as error:
            raise ToolRefused("the tool server's address may not be called") from error
        except HttpError as error:
            raise ToolInDoubt("the tool server's answer was lost") from error
