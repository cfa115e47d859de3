"""What a tool server's answers mean: a result, or an error that tells the caller what to do next."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any, Literal

from mcp.types import CONNECTION_CLOSED, INTERNAL_ERROR, REQUEST_TIMEOUT, CallToolResult, TextContent, Tool
from pydantic import BaseModel, ValidationError

from .forms import Form, UnusableForm

# A gateway says 503 also when it lost the server in the middle of a request, so that is no proof of anything.
_NOT_DONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS})
_UNKNOWN_OUTCOME = frozenset({INTERNAL_ERROR, CONNECTION_CLOSED, REQUEST_TIMEOUT})
_EVENT_STREAM = "text/event-stream"


class ToolError(Exception):
    """A tool did not give its result; the subclass says what that means.

    `is_reported` is whether the tool said so itself, and the line to it therefore works.
    """

    def __init__(self, message: str, *, is_reported: bool = False) -> None:
        super().__init__(message)
        self.is_reported = is_reported


class ToolUnavailable(ToolError):
    """Nothing was done; the same call may succeed later."""


class ToolRefused(ToolError):
    """Nothing was done, and nothing will be for the same call."""


class ToolInDoubt(ToolError):
    """It is not known whether the tool did its work: find out before calling a writing tool again."""


class SessionEnded(ToolUnavailable):
    """The server has forgotten the session that it gave us; nothing was done."""


@dataclass(frozen=True, kw_only=True)
class ToolDescription:
    """A tool as its server describes it; schemas are JSON Schema."""

    name: str
    title: str | None
    description: str | None
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any] | None
    annotations: Mapping[str, Any]

    @cached_property
    def _takes(self) -> Form:
        return Form(self.input_schema)

    @cached_property
    def _gives(self) -> Form | None:
        return None if self.output_schema is None else Form(self.output_schema)

    def require_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Raise `ToolRefused` for arguments that the tool does not take."""
        try:
            problems = self._takes.problems_with(arguments)
        except UnusableForm as error:
            raise ToolUnavailable(f"the form of {self.name}'s arguments cannot be used: {error}") from error
        if problems:
            raise ToolRefused(f"the details do not fit what {self.name} takes: {'; '.join(problems)}")

    def require_result(self, result: Mapping[str, Any]) -> None:
        """Raise `ToolInDoubt` for a result that is not of the form that the tool declares, if it declares one."""
        try:
            problems = self._gives.problems_with(result) if self._gives else ()
        except UnusableForm as error:
            raise ToolInDoubt(f"the form of {self.name}'s results cannot be used: {error}") from error
        if problems:
            raise ToolInDoubt(f"{self.name} answered in a form that it does not declare: {'; '.join(problems)}")


class _Failure(BaseModel):
    kind: Literal["unavailable", "refused", "in_doubt"]
    message: str


def request(number: int, method: str, params: Mapping[str, Any] | None) -> bytes:
    """Write a JSON-RPC request."""
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()


def notification(method: str, params: Mapping[str, Any] | None) -> bytes:
    """Write a JSON-RPC notification."""
    return json.dumps({"jsonrpc": "2.0", "method": method} | ({"params": params} if params else {})).encode()


def unwrapped(content_type: str, content: bytes, *, number: int) -> bytes:
    """Return the JSON-RPC answer to request `number`, also out of a stream of events that may hold other messages."""
    if not content_type.startswith(_EVENT_STREAM):
        return content
    for data in _events(content):
        answer = _object(data)
        if answer.get("id") == number and "method" not in answer:
            return data
    return b""


def read_answer(status: int, content: bytes) -> dict[str, Any]:
    """Return the result that a JSON-RPC answer carries, or raise a `ToolError`."""
    answer = _object(content)
    match answer.get("result"), answer.get("error"):
        case dict() as result, None if status == HTTPStatus.OK:
            return result
        case None, {"code": int() as code, "message": str() as message} if code != INTERNAL_ERROR:
            raise ToolRefused(message)
    if status in _NOT_DONE:
        raise ToolUnavailable(f"http {status}")
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ToolRefused(f"http {status}")
    raise ToolInDoubt(f"http {status} without a result")


def read_error(code: int, message: str) -> ToolError:
    """Return what a JSON-RPC error over a pipe means."""
    return ToolInDoubt(message) if code in _UNKNOWN_OUTCOME else ToolRefused(message)


def read_tool(tool: Tool) -> ToolDescription:
    """Return what the server says about one of its tools."""
    annotations = tool.annotations.model_dump(by_alias=True, exclude_none=True) if tool.annotations else {}
    return ToolDescription(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=annotations,
    )


def read_result(tool: ToolDescription, result: CallToolResult) -> dict[str, Any]:
    """Return a tool's structured result, or raise the `ToolError` that it reports.

    A tool that declares no form for its results may answer with text alone, which becomes the field `text`.
    """
    if result.is_error:
        raise _reported(tool.name, result)
    if isinstance(result.structured_content, dict):
        tool.require_result(result.structured_content)
        return result.structured_content
    if tool.output_schema is not None:
        raise ToolInDoubt(f"{tool.name} answered without a structured result")
    return {"text": _text(result)}


def _reported(tool: str, result: CallToolResult) -> ToolError:
    text = _text(result)
    try:
        failure = _Failure.model_validate(result.structured_content)
    except ValidationError:
        # A text says nothing about how far the tool got before it failed.
        return ToolInDoubt(f"{tool}: {text}", is_reported=True)
    match failure.kind:
        case "unavailable":
            return ToolUnavailable(failure.message, is_reported=True)
        case "refused":
            return ToolRefused(failure.message, is_reported=True)
        case "in_doubt":
            return ToolInDoubt(failure.message, is_reported=True)


def _text(result: CallToolResult) -> str:
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))


def _events(content: bytes) -> Iterator[bytes]:
    """Yield the data of each server-sent event."""
    for event in content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n\n"):
        lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
        if lines:
            yield b"\n".join(lines)


def _object(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
