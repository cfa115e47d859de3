"""Recorded conversations: read from a session's export, or from a report of an evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .scenarios import PersonSpec, Scenario, Verdict

_DECIDED = "approval.decided"
_UNLIKE = frozenset({"idempotency_key", "business_justification", "justification"})


class NotARecording(Exception):
    """The file is neither an exported session nor a report; the message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """One message and its answer; `decided` is a decision by somebody else instead of a message."""

    text: str
    answer: str
    expects: str
    door: str = "web"
    decided: Verdict | None = None


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A conversation, what was written in it (tool and arguments), and where it stood in the end."""

    name: str
    said: tuple[Said, ...]
    writes: tuple[tuple[str, Mapping[str, Any]], ...]
    approvals: tuple[str, ...]
    mode: str
    person: PersonSpec = field(default_factory=PersonSpec)

    def as_scenario(self) -> Scenario:
        """Return what a house needs to know to let the same person in again."""
        return Scenario(id=self.name, area="replay", opens=self.said[0].text if self.said else "", person=self.person)


def from_export(document: Mapping[str, Any]) -> Recording:
    """Read what `GET /api/v1/sessions/{session_id}/export` gives, or raise `NotARecording`."""
    requests = document.get("requests")
    if not isinstance(requests, list) or not isinstance(document.get("session"), dict):
        raise NotARecording("an exported session has `session` and `requests`")
    calls = [call for request in requests for call in request.get("tool_calls", ())]
    envelopes = [request["response_metadata"] for request in requests if request.get("response_metadata")]
    approvals = [approval for request in requests for approval in request.get("approvals", ())]
    return Recording(
        name=str(document["session"].get("session_id", "recorded")),
        said=tuple(_said(request, approvals) for request in requests),
        writes=tuple(written(call["tool"], call["arguments"]) for call in calls if call["state"] == "confirmed"),
        approvals=tuple(approval["state"] for approval in approvals),
        mode=str(envelopes[-1].get("mode", "agent")) if envelopes else "agent",
    )


def from_report(document: Mapping[str, Any], name: str) -> Recording:
    """Read one scenario of a report.json, or raise `NotARecording`."""
    found = next((each for each in document.get("scenarios", ()) if each.get("id") == name), None)
    if found is None:
        raise NotARecording(f"the report has no scenario {name}")
    calls = [call for call in found["tool_calls"] if is_write(call["tool"], call["arguments"]) and call["result"]]
    metadata = [each["metadata"] for each in found["exchanges"] if each["answer"] is not None]
    return Recording(
        name=name,
        said=tuple(_exchange(each) for each in found["exchanges"]),
        writes=tuple(written(call["tool"], call["arguments"]) for call in calls),
        approvals=tuple(found["approvals"]),
        mode=str(metadata[-1].get("mode", "agent")) if metadata else "agent",
        person=PersonSpec.model_validate(found.get("person_spec") or {}),
    )


def is_write(tool: str, arguments: Mapping[str, Any]) -> bool:
    """Say whether a call was one that writes: it carried a key, and was not looking for what a key left."""
    return "idempotency_key" in arguments and not tool.startswith("find_")


def written(tool: str, arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return a write without what is new each time."""
    return tool, {name: value for name, value in arguments.items() if name not in _UNLIKE}


def _said(request: Mapping[str, Any], approvals: Sequence[Mapping[str, Any]]) -> Said:
    metadata = request.get("response_metadata") or {}
    decided = None
    if request.get("request_type") == _DECIDED:
        states = (approval["state"] for approval in approvals)
        decided = next((state for state in states if state in {"granted", "denied", "expired"}), None)
    return Said(
        text=str(request.get("content", "")),
        answer=str(request.get("response_content") or ""),
        expects=str(metadata.get("expects", "nothing")),
        door="cli" if request.get("integration_type") == "CLI" else "web",
        decided=decided,
    )


def _exchange(exchange: Mapping[str, Any]) -> Said:
    verdict = exchange["act"].removeprefix("approval ") if exchange["act"].startswith("approval ") else None
    return Said(
        text=exchange["said"],
        answer=exchange["answer"] or "",
        expects=str(exchange["metadata"].get("expects", "nothing")),
        door=exchange["door"] or "web",
        decided=verdict,
    )
