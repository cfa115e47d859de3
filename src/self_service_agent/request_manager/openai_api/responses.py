"""Answers in the form of OpenAI's responses, whole and as a stream of events.

Reference: https://platform.openai.com/docs/api-reference/responses
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic_core import to_json

from .forms import Naming, Told, citations_of, event

PREFIX: Final = "resp_"


class Responses:
    """The form; its events are numbered, so that each stream has one of its own."""

    def __init__(self, *, previous: str | None) -> None:
        self._previous = previous
        self._number = -1

    def whole(self, naming: Naming, told: Told) -> bytes:
        """Return an answer that comes at once."""
        return to_json(self._completed(naming, told))

    def begun(self, naming: Naming) -> Iterator[bytes]:
        """Say that it is accepted, and that a message will come."""
        response = self._response(naming, status="in_progress", output=[])
        yield self._event("response.created", response=response)
        yield self._event("response.in_progress", response=response)
        item = {**_item(naming, []), "status": "in_progress"}
        yield self._event("response.output_item.added", output_index=0, item=item)
        yield self._event("response.content_part.added", **_place(naming), part=_part("", []))

    def happening(self, naming: Naming, text: str, *, done: bool) -> Iterator[bytes]:
        """Say nothing: this form has no word for it."""
        del naming, text, done
        yield from ()

    def piece(self, naming: Naming, text: str) -> Iterator[bytes]:
        """Say the next piece of the answer's text."""
        yield self._event("response.output_text.delta", **_place(naming), delta=text, logprobs=[])

    def ended(self, naming: Naming, told: Told) -> Iterator[bytes]:
        """Say from where it is quoted, and everything once more."""
        annotations = _annotations(told)
        for index, annotation in enumerate(annotations):
            yield self._event(
                "response.output_text.annotation.added",
                **_place(naming),
                annotation_index=index,
                annotation=annotation,
            )
        yield self._event("response.output_text.done", **_place(naming), text=told.content, logprobs=[])
        part = _part(told.content, annotations)
        yield self._event("response.content_part.done", **_place(naming), part=part)
        yield self._event("response.output_item.done", output_index=0, item=_item(naming, [part]))
        yield self._event("response.completed", response=self._completed(naming, told))

    def failed(self, naming: Naming, error: Mapping[str, Any]) -> Iterator[bytes]:
        """Say that no answer comes, and why."""
        said = error["error"]
        yield self._event("error", code=said["code"], message=said["message"], param=said["param"])
        response = self._response(naming, status="failed", output=[])
        response["error"] = {"code": "server_error", "message": said["message"]}
        yield self._event("response.failed", response=response)

    def _completed(self, naming: Naming, told: Told) -> dict[str, Any]:
        output = [_item(naming, [_part(told.content, _annotations(told))])]
        ours = {"self_service_agent": told.result} if told.result else {}
        response = self._response(naming, status="completed", output=output)
        return {**response, "completed_at": naming.created, "usage": _usage(told), **ours}

    def _response(self, naming: Naming, *, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": f"{PREFIX}{naming.request_id}",
            "object": "response",
            "created_at": naming.created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": naming.model,
            "output": output,
            "parallel_tool_calls": False,
            "previous_response_id": self._previous,
            "store": True,
            "temperature": None,
            "text": {"format": {"type": "text"}},
            "tool_choice": "none",
            "tools": [],
            "top_p": None,
            "truncation": "disabled",
            "usage": None,
        }

    def _event(self, kind: str, **data: Any) -> bytes:
        self._number += 1
        return event({"type": kind, "sequence_number": self._number, **data}, kind=kind)


def _place(naming: Naming) -> dict[str, Any]:
    return {"item_id": f"msg_{naming.request_id}", "output_index": 0, "content_index": 0}


def _item(naming: Naming, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"msg_{naming.request_id}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": content,
    }


def _part(text: str, annotations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}


def _annotations(told: Told) -> list[dict[str, Any]]:
    return [{"type": "url_citation", **citation} for citation in citations_of(told)]


def _usage(told: Told) -> dict[str, Any]:
    read, written = told.usage.get("input_tokens", 0), told.usage.get("output_tokens", 0)
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }
