"""The forms of the two APIs: whole answers, and the events of a stream."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from self_service_agent.kit.ids import new_id

_PIECE = 40
_CREATED = 1_750_000_000
Json = dict[str, Any]


def usage_of(body: Mapping[str, Any], text: str) -> tuple[int, int]:
    """Return about how many tokens went in and out."""
    return len(json.dumps(body)) // 4, len(text) // 4 + 1


def chat_answer(model: str, text: str, usage: tuple[int, int] | None, *, tool: str | None = None) -> Json:
    """Return a whole chat completion; with `tool`, a call of it with `text` as its arguments."""
    call = {"id": "call-1", "type": "function", "function": {"name": tool, "arguments": text}}
    message: Json = {"role": "assistant", "content": None if tool else text} | ({"tool_calls": [call]} if tool else {})
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tool else "stop"}
    return {**_chat(model, "chat.completion"), "choices": [choice], "usage": _chat_usage(usage)}


def chat_events(model: str, text: str, usage: tuple[int, int] | None) -> Iterator[str]:
    """Yield the chunks of a streamed chat completion; the one with the usage comes last, and has no choice."""
    chunk = _chat(model, "chat.completion.chunk")
    for piece in _pieces(text):
        yield _event({**chunk, "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
    yield _event({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage is not None:
        yield _event({**chunk, "choices": [], "usage": _chat_usage(usage)})
    yield "data: [DONE]\n\n"


def response(model: str, text: str, usage: tuple[int, int] | None) -> Json:
    """Return a whole response."""
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "id": "message-1", "role": "assistant", "status": "completed", "content": [part]}
    counted = usage and {"input_tokens": usage[0], "output_tokens": usage[1], "total_tokens": sum(usage)}
    return {
        "id": f"response-{new_id()}",
        "object": "response",
        "created_at": _CREATED,
        "status": "completed",
        "model": model,
        "output": [message],
        "usage": counted,
    }


def response_events(model: str, text: str, usage: tuple[int, int] | None) -> Iterator[str]:
    """Yield the events of a streamed response."""
    place = {"item_id": "message-1", "output_index": 0, "content_index": 0, "logprobs": []}
    for number, piece in enumerate(_pieces(text)):
        yield _named({"type": "response.output_text.delta", "delta": piece, "sequence_number": number, **place})
    yield _named({"type": "response.completed", "response": response(model, text, usage)})


def models(name: str) -> Json:
    listed = {"id": name, "object": "model", "created": _CREATED, "owned_by": "nobody"}
    return {"object": "list", "data": [listed]}


def _chat(model: str, sort: str) -> Json:
    return {"id": f"chat-{new_id()}", "object": sort, "created": _CREATED, "model": model}


def _chat_usage(usage: tuple[int, int] | None) -> Json | None:
    if usage is None:
        return None
    return {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}


def _pieces(text: str) -> Iterator[str]:
    size = max(_PIECE, len(text) // 100)
    yield from (text[at : at + size] for at in range(0, len(text), size))


def _event(content: Json) -> str:
    return f"data: {json.dumps(content)}\n\n"


def _named(content: Json) -> str:
    return f"event: {content['type']}\n{_event(content)}"
