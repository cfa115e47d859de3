"""A language model that says what is in its script, behind OpenAI's API: for demonstrations and for tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from . import wire
from .script import Fault, Script

router = APIRouter()


def create_app(script: Script) -> FastAPI:
    """Return the server; it answers under /v1, and under /v1/openai/v1 as Llama Stack did."""
    app = FastAPI(title="Scripted model")
    app.state.script = script
    for prefix in ("/v1", "/v1/openai/v1"):
        app.include_router(router, prefix=prefix)
    return app


@router.get("/models")
async def list_models(request: Request) -> dict[str, Any]:
    return wire.models(_script(request).model)


@router.post("/chat/completions")
async def chat(request: Request) -> Response:
    """Answer in the form of Chat Completions."""
    script, body = _script(request), await request.json()
    fault = _note(script, body)
    if (failed := _refusal(script, fault)) is not None:
        return failed
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    if body.get("tools"):
        function = body["tools"][0]["function"]
        arguments = script.text_for("", function["parameters"], None)
        return JSONResponse(wire.chat_answer(body["model"], arguments, (1, 1), tool=function["name"]))
    text = script.text_for(_last_message(body["messages"]), schema, fault)
    usage = None if fault is Fault.NO_USAGE else wire.usage_of(body, text)
    if not body.get("stream"):
        return await _whole(script, wire.chat_answer(body["model"], text, usage), fault)
    return _Stream(script, wire.chat_events(body["model"], text, usage), fault)


@router.post("/responses")
async def responses(request: Request) -> Response:
    """Answer in the form of Responses."""
    script, body = _script(request), await request.json()
    fault = _note(script, body)
    if (failed := _refusal(script, fault)) is not None:
        return failed
    schema = (body.get("text") or {}).get("format", {}).get("schema")
    text = script.text_for(_last_message(body["input"]), schema, fault)
    usage = None if fault is Fault.NO_USAGE else wire.usage_of(body, text)
    if not body.get("stream"):
        return await _whole(script, wire.response(body["model"], text, usage), fault)
    return _Stream(script, wire.response_events(body["model"], text, usage), fault)


class _Stream(Response):
    """Sends events one by one; a fault may cut them off, or keep them waiting, after the first."""

    def __init__(self, script: Script, events: Iterator[str], fault: Fault | None) -> None:
        super().__init__(media_type="text/event-stream")
        del self.headers["content-length"]
        self._script = script
        self._events = events
        self._fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for event in self._paced():
            await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
        if self._fault is not Fault.CUT:
            await send({"type": "http.response.body", "body": b""})

    async def _paced(self) -> AsyncIterator[str]:
        for number, event in enumerate(self._events):
            if number == 1 and self._fault is Fault.CUT:
                return
            if number == 1 and self._fault is Fault.SILENCE:
                await asyncio.sleep(self._script.silence.total_seconds())
            yield event


async def _whole(script: Script, content: dict[str, Any], fault: Fault | None) -> Response:
    if fault is Fault.SILENCE:
        await asyncio.sleep(script.silence.total_seconds())
    return JSONResponse(content)


def _refusal(script: Script, fault: Fault | None) -> Response | None:
    match fault:
        case Fault.RATE_LIMITED:
            wait = {"retry-after": script.retry_after}
            return JSONResponse({"error": {"message": "slow down"}}, status_code=429, headers=wait)
        case Fault.SERVER_ERROR:
            return JSONResponse({"error": {"message": "boom"}}, status_code=500)
    return None


def _note(script: Script, body: dict[str, Any]) -> Fault | None:
    script.asked.append(body)
    return script.next_fault()


def _script(request: Request) -> Script:
    script: Script = request.app.state.script
    return script


def _last_message(messages: str | list[Mapping[str, Any]]) -> str:
    """Return the text of the last message; some send it in parts, as they come from other libraries."""
    if isinstance(messages, str):
        return messages
    content = messages[-1].get("content") or ""
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)
