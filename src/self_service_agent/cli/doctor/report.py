"""What an examination found, and how it is printed."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


_MARKS = {State.OK: "✔", State.WARNING: "!", State.BROKEN: "✘"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at; `advice` says what to do about it."""

    name: str
    state: State
    detail: str
    advice: str | None = None


def ok(name: str, detail: str) -> Finding:
    return Finding(name=name, state=State.OK, detail=detail)


def warning(name: str, detail: str, advice: str) -> Finding:
    return Finding(name=name, state=State.WARNING, detail=detail, advice=advice)


def broken(name: str, detail: str, advice: str) -> Finding:
    return Finding(name=name, state=State.BROKEN, detail=detail, advice=advice)


def has_broken(findings: Sequence[Finding]) -> bool:
    """Tell whether something does not work."""
    return any(finding.state is State.BROKEN for finding in findings)


def as_text(findings: Sequence[Finding]) -> str:
    """Return one line for each finding."""
    width = max(len(finding.name) for finding in findings)
    return "\n".join(_line(finding, width) for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings for a program to read."""
    document = {"healthy": not has_broken(findings), "checks": [asdict(finding) for finding in findings]}
    return json.dumps(document, indent=2)


def _line(finding: Finding, width: int) -> str:
    advice = f" → {finding.advice}" if finding.advice else ""
    return f"{_MARKS[finding.state]} {finding.name:<{width}}  {' '.join(finding.detail.split())}{advice}"
