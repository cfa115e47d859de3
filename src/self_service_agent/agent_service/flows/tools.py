"""The tools that flows call, as the engine sees them: one verb, and three ways to fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

FailureSort = Literal["unavailable", "refused", "in_doubt", "undecidable"]


class ToolError(Exception):
    """A tool did not do what it was asked; the subclass says what is known about it."""


class ToolUnavailable(ToolError):
    """Nothing happened; the same call may succeed later."""


class ToolRefused(ToolError):
    """Nothing happened, and the same call never will succeed; `reason` can be shown to the person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ToolInDoubt(ToolError):
    """It may or may not have happened; calling again with the same key finds out before it does anything."""


class Tools(Protocol):
    """Calls tools on behalf of the person of this turn, whose identity it knows from elsewhere than the text."""

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Return the tool's answer, or raise a `ToolError`; the same key never acts twice."""
        ...


@dataclass(frozen=True, kw_only=True)
class PendingCall:
    """A call that a flow has arrived at."""

    tool: str
    arguments: Mapping[str, Any]
    key: str


@dataclass(frozen=True)
class CallSucceeded:
    """The tool's answer."""

    answer: Mapping[str, Any]


@dataclass(frozen=True)
class CallFailed:
    """Why there is no answer."""

    sort: FailureSort
    reason: str = ""


CallResult = CallSucceeded | CallFailed


async def perform(call: PendingCall, tools: Tools) -> CallResult:
    """Make one call and return how it went."""
    try:
        return CallSucceeded(await tools.call(call.tool, dict(call.arguments), key=call.key))
    except ToolUnavailable:
        return CallFailed("unavailable")
    except ToolRefused as error:
        return CallFailed("refused", error.reason)
    except ToolInDoubt:
        return CallFailed("in_doubt")
