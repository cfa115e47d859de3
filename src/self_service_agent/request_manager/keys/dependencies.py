"""What the key endpoints ask of the application: who calls, and the desk."""

import re
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from self_service_agent.shared_models.calling import CallerDependency as Calling

from .desk import KeyDesk
from .rules import KeyCaller

_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-")  # https://www.w3.org/TR/trace-context/#traceparent-header


async def _caller(request: Request, caller: Calling) -> KeyCaller:
    """Return the person who calls, as the desk wants to know them; tools have no keys to manage."""
    if not isinstance(caller, KeyCaller):
        raise TypeError("what knows callers does not say what their keys may do")
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
