"""What the scripted model answers, and what goes wrong with it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """A way in which real providers fail."""

    EMPTY = "empty"
    INVALID_JSON = "invalid-json"
    WRONG_SCHEMA = "wrong-schema"
    UNKNOWN_FLOW = "unknown-flow"
    RATE_LIMITED = "rate-limited"
    SERVER_ERROR = "server-error"
    CUT = "cut"
    SILENCE = "silence"
    NO_USAGE = "no-usage"
    HUGE = "huge"


_TEXTS: Mapping[Fault, str] = {
    Fault.EMPTY: "",
    Fault.INVALID_JSON: '{"command": "start_flow", "flow": ',
    Fault.WRONG_SCHEMA: '{"intent": "buy", "confidence": 0.99}',
    Fault.UNKNOWN_FLOW: '{"command": "start_flow", "flow": "payroll-agent/raise_my_salary"}',
    Fault.HUGE: "a" * 6_000_000,
}


@dataclass(kw_only=True)
class Script:
    """`answers` are by a part of the last message, the first that fits; `faults` go to the next calls, one to each.

    `always` is a fault of every call. `asked` remembers the bodies of all requests.
    """

    answers: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    silence: timedelta = timedelta(seconds=30)
    retry_after: str = "1"
    model: str = "scripted-1"
    asked: list[dict[str, Any]] = field(default_factory=list)

    def next_fault(self) -> Fault | None:
        """Return what goes wrong with this call."""
        return self.faults.pop(0) if self.faults else self.always

    def text_for(self, said: str, schema: Mapping[str, Any] | None, fault: Fault | None) -> str:
        """Return the answer; without one in the script, the least that the schema allows."""
        if fault is not None and fault in _TEXTS:
            return _TEXTS[fault]
        for part, answer in self.answers.items():
            if part.lower() in said.lower():
                return answer
        return "I have nothing to say." if schema is None else json.dumps(least(schema))


def least(schema: Mapping[str, Any]) -> Any:
    """Return the least value that a schema allows: null where it may be, else the last of a list of values."""
    if "enum" in schema:
        return schema["enum"][-1]
    types = schema.get("type", "null")
    if types == "object":
        return {name: least(each) for name, each in schema.get("properties", {}).items()}
    return "" if types == "string" else None


def shipped_script() -> Script:
    """Return a script for the conversation of the guides."""
    laptop = "laptop-refresh-agent/laptop_refresh"
    return Script(
        answers={
            "need a new laptop": json.dumps({"command": "start_flow", "flow": laptop}),
            "machine is falling apart": json.dumps({"command": "start_flow", "flow": laptop}),
            "wonder": json.dumps({"command": "cannot_handle"}),
            "cheapest": json.dumps({"command": "cannot_handle"}),
            "how long does": json.dumps({"command": "ask_knowledge"}),
            "somebody real": json.dumps({"command": "human"}),
        }
    )
