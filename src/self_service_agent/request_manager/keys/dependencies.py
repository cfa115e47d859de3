"""What the key endpoints ask of the application: who calls, and the desk."""

import re
from dataclasses import replace
from typing import Annotated, Protocol

from fastapi import Depends, Request

from .desk import KeyDesk
from .rules import KeyCaller

_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-")  # https://www.w3.org/TR/trace-context/#traceparent-header


class CallerOf(Protocol):
    """Set as `app.state.caller_of`. Returns the person who calls, or raises a problem; tools have no keys to manage."""

    async def __call__(self, request: Request) -> KeyCaller: ...


async def _caller(request: Request) -> KeyCaller:
    caller_of: CallerOf = request.app.state.caller_of
    caller = await caller_of(request)
    trace = _TRACE.match(request.headers.get("traceparent", ""))
    return replace(
        caller,
        address=caller.address or (request.client and request.client.host),
        correlation_id=caller.correlation_id or (trace and trace[1]),
    )


async def _desk(request: Request) -> KeyDesk:
    desk: KeyDesk = request.app.state.key_desk
    return desk


CallerDependency = Annotated[KeyCaller, Depends(_caller)]
Desk = Annotated[KeyDesk, Depends(_desk)]
