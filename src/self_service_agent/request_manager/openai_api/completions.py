"""Answers in the form of OpenAI's chat completions, whole and in chunks.

Reference: https://platform.openai.com/docs/api-reference/chat
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_json

from .forms import Naming, Told, citations_of, event

_END = b"data: [DONE]\n\n"


class ChatCompletions:
    """The form; `usage` and `events` (which Open WebUI shows as they come) are told in a stream only if wanted."""

    def __init__(self, *, usage: bool, events: bool) -> None:
        self._usage = usage
        self._events = events

    def whole(self, naming: Naming, told: Told) -> bytes:
        """Return an answer that comes at once."""
        message = {
            "role": "assistant",
            "content": told.content,
            "refusal": None,
            "annotations": _annotations(told),
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return to_json({**_head(naming, "chat.completion"), "choices": [choice], "usage": _usage(told), **_ours(told)})

    def begun(self, naming: Naming) -> Iterator[bytes]:
        """Say who speaks."""
        yield _chunk(naming, {"role": "assistant", "content": ""})

    def happening(self, naming: Naming, text: str, *, done: bool) -> Iterator[bytes]:
        """Say what is done at the moment, to clients that show it."""
        if self._events:
            status = {"type": "status", "data": {"description": text, "done": done}}
            yield event({**_head(naming, "chat.completion.chunk"), "choices": [], "event": status})

    def piece(self, naming: Naming, text: str) -> Iterator[bytes]:
        """Say the next piece of the answer's text."""
        yield _chunk(naming, {"content": text})

    def ended(self, naming: Naming, told: Told) -> Iterator[bytes]:
        """Say from where it is quoted, that it is over, and what it took."""
        if annotations := _annotations(told):
            yield _chunk(naming, {"annotations": annotations})
        yield _chunk(naming, {}, finish_reason="stop", more=_ours(told))
        if self._usage:
            yield event({**_head(naming, "chat.completion.chunk"), "choices": [], "usage": _usage(told)})
        yield _END

    def failed(self, naming: Naming, error: Mapping[str, Any]) -> Iterator[bytes]:
        """Say that no answer comes, and why."""
        yield event({**_head(naming, "chat.completion.chunk"), "choices": [], **error})
        yield _END


def _head(naming: Naming, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{naming.request_id}", "object": kind, "created": naming.created, "model": naming.model}


def _chunk(
    naming: Naming,
    delta: Mapping[str, Any],
    *,
    finish_reason: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return event({**_head(naming, "chat.completion.chunk"), "choices": [choice], **(more or {})})


def _annotations(told: Told) -> list[dict[str, Any]]:
    return [{"type": "url_citation", "url_citation": citation} for citation in citations_of(told)]


def _usage(told: Told) -> dict[str, int]:
    read, written = told.usage.get("input_tokens", 0), told.usage.get("output_tokens", 0)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _ours(told: Told) -> dict[str, Any]:
    return {"self_service_agent": told.result} if told.result else {}
