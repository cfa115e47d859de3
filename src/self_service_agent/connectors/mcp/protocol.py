"""What a tool server's answers mean: a result, or an error that tells the caller what to do next."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from mcp.types import INTERNAL_ERROR, CallToolResult, TextContent
from pydantic import BaseModel, ValidationError

_NOT_DONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class ToolError(Exception):
    """A tool did not give its result; the subclass says what that means."""


class ToolUnavailable(ToolError):
    """Nothing was done; the same call may succeed later."""


class ToolRefused(ToolError):
    """Nothing was done, and nothing will be for the same call."""


class ToolInDoubt(ToolError):
    """It is not known whether the tool did its work: find out before calling a writing tool again."""


class _Failure(BaseModel):
    kind: Literal["unavailable", "refused", "in_doubt"]
    message: str


def request(number: int, method: str, params: Mapping[str, Any] | None) -> bytes:
    """Write a JSON-RPC request."""
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()


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


def read_result(tool: str, result: CallToolResult) -> dict[str, Any]:
    """Return a tool's structured result, or raise the `ToolError` that it reports."""
    if result.is_error:
        raise _reported(tool, result)
    if not isinstance(result.structured_content, dict):
        raise ToolInDoubt(f"{tool} answered without a structured result")
    return result.structured_content


def _reported(tool: str, result: CallToolResult) -> ToolError:
    text = " ".join(block.text for block in result.content if isinstance(block, TextContent))
    try:
        failure = _Failure.model_validate(result.structured_content)
    except ValidationError:
        # The SDK writes a reason after the colon for arguments that it refused, and no colon for a crash.
        refused = text.startswith((f"Error executing tool {tool}: ", "Unknown tool: "))
        return ToolRefused(text) if refused else ToolInDoubt(text)
    match failure.kind:
        case "unavailable":
            return ToolUnavailable(failure.message)
        case "refused":
            return ToolRefused(failure.message)
        case "in_doubt":
            return ToolInDoubt(failure.message)


def _object(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
