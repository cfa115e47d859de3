"""Watches the wire between agents and tools: who called what for whom, what came back; and breaks it on request."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from self_service_agent.kit import clock
from self_service_agent.kit.service_tokens import InvalidServiceToken, ServiceTokens

from .scenarios import FaultSpec
from .world import giving, read_body

AUDIENCE = "mcp-servicenow"


@dataclass(frozen=True, kw_only=True)
class ToolExchange:
    """One call of a tool on behalf of `subject`; `result` is None for a call that failed."""

    subject: str
    tool: str
    arguments: dict[str, Any]
    result: Any


class ToolWitness:
    """An ASGI application in front of a tool server."""

    def __init__(self, app: ASGIApp, tokens: ServiceTokens) -> None:
        self._app = app
        self._tokens = tokens
        self._exchanges: dict[str, list[ToolExchange]] = {}
        self._faults: dict[str, list[FaultSpec]] = {}

    def of(self, subject: str) -> list[ToolExchange]:
        """Return what was called for a person, in order."""
        return self._exchanges.setdefault(subject, [])

    def break_down(self, subject: str, fault: FaultSpec) -> None:
        """Let the next calls for a person come back wrong, or not at all."""
        if fault.kind in {"wrong-payload", "cut"}:
            self._faults.setdefault(subject, []).extend([fault] * fault.count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body = await read_body(receive)
        called = _called(body)
        subject = self._subject(scope)
        if called is None or subject is None:
            await self._app(scope, giving(body), send)
            return
        answer = _Kept()
        await self._app(scope, giving(body), answer)
        await self._hand_on(scope, send, answer=answer, called=called, subject=subject)

    async def _hand_on(
        self, scope: Scope, send: Send, *, answer: "_Kept", called: tuple[str, Any], subject: str
    ) -> None:
        tool, arguments = called
        result = _result(answer.body)
        faults = self._faults.get(subject, [])
        fault = faults.pop(0) if faults and result is not None else None
        if fault is not None and fault.kind == "cut":
            await Response(status_code=500)(scope, giving(b""), send)
            return
        if fault is not None:
            answer.body, result = _with_wrong_payload(answer.body), None
        self.of(subject).append(ToolExchange(subject=subject, tool=tool, arguments=arguments, result=result))
        await answer.replay(send)

    def _subject(self, scope: Scope) -> str | None:
        headers = dict(scope["headers"])
        token = headers.get(b"authorization", b"").decode(errors="replace").partition(" ")[2]
        try:
            return self._tokens.verify(token, audience=AUDIENCE, now=clock.now()).subject
        except InvalidServiceToken:
            return None


class _Kept:
    """Takes an answer in, to be looked at before it is sent on."""

    def __init__(self) -> None:
        self.start: Message = {}
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    async def replay(self, send: Send) -> None:
        kept = [(name, value) for name, value in self.start["headers"] if name.lower() != b"content-length"]
        await send({**self.start, "headers": [*kept, (b"content-length", str(len(self.body)).encode())]})
        await send({"type": "http.response.body", "body": self.body})


def _called(body: bytes) -> tuple[str, dict[str, Any]] | None:
    match _object(body):
        case {"method": "tools/call", "params": {"name": str(name), "arguments": dict() as arguments}}:
            return name, arguments
    return None


def _result(body: bytes) -> Any:
    match _object(body):
        case {"result": {"structuredContent": dict() as content, **rest}} if not rest.get("isError"):
            return content
    return None


def _with_wrong_payload(body: bytes) -> bytes:
    """Return the answer with every value of the result gone and something else in its place."""
    answer = _object(body)
    answer["result"]["structuredContent"] = {"status": "ok", "value": None}
    answer["result"]["content"] = []
    return json.dumps(answer).encode()


def _object(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
