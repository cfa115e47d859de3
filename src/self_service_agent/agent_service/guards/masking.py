"""Puts placeholders where a text holds personal data or secrets, before anything outside this process sees it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from self_service_agent.kit.sensitive import sensitive_places

_PLACEHOLDER = re.compile(r"\[(?:secret|password|card|iban|id number|email|phone) \d{1,4}\]")


@dataclass(frozen=True)
class Masked:
    """A text that may leave the process; what its placeholders stand for stays here and is never printed."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def restore(self, text: str) -> str:
        """Return `text` with what each placeholder stands for; unknown ones stay as they are."""
        return _PLACEHOLDER.sub(lambda match: self.values.get(match[0], match[0]), text)


def mask(text: str, *, after: Masked | None = None) -> Masked:
    """Return `text` with `[email 1]` and the like in it; the same value has the same placeholder.

    `after` goes on with the placeholders of an earlier text, for several that travel together.
    """
    values = dict(after.values) if after is not None else {}
    placeholders = {value: placeholder for placeholder, value in values.items()}
    # A placeholder that somebody wrote is not one of ours, and must not be restored to anything.
    written = {match[0] for match in _PLACEHOLDER.finditer(text)}
    parts, end = [], 0
    for finding in sensitive_places(text):
        value = text[finding.start : finding.end]
        if value not in placeholders:
            placeholders[value] = next(name for name in _names(finding.sort) if name not in written | values.keys())
            values[placeholders[value]] = value
        parts += [text[end : finding.start], placeholders[value]]
        end = finding.end
    return Masked("".join([*parts, text[end:]]), values)


def _names(sort: str) -> Iterator[str]:
    return (f"[{sort} {number}]" for number in count(1))
