"""What the findings of a classifier mean: a policy turns categories into a verdict."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Action = Literal["block", "flag", "ignore"]
Outcome = Literal["passed", "flagged", "blocked", "unchecked"]

UNSPECIFIED: Final = "unspecified"
"""The category of what is flagged without a word why."""

_OF_UNKNOWN: Final[Action] = "flag"
_MOST_FLAGS = 20
_NAME = re.compile(r"[A-Za-z0-9][\w /.-]{0,63}", re.ASCII)


@dataclass(frozen=True)
class Verdict:
    """Whether a text may go on, and what the envelope says about it."""

    outcome: Outcome
    flags: tuple[str, ...] = ()


PASSED: Final = Verdict("passed")
UNCHECKED: Final = Verdict("unchecked", ("moderation-unavailable",))


def verdict_of(found: Iterable[str], policy: Mapping[str, Action]) -> Verdict:
    """Return what follows from the categories that were found; a category that the policy does not name is a flag."""
    actions = {category: _action(category, policy) for category in found}
    noted = [category for category, action in actions.items() if action != "ignore"]
    flags = tuple(dict.fromkeys(map(_flag, noted)))[:_MOST_FLAGS]
    if "block" in actions.values():
        return Verdict("blocked", (*flags, "moderation-blocked"))
    return Verdict("flagged", flags) if flags else PASSED


def unanswered(categories: Mapping[str, bool | None], policy: Mapping[str, Action]) -> list[str]:
    """Return the categories that the policy blocks and of which the classifier said nothing."""
    return sorted(name for name, action in policy.items() if action == "block" and _is_silent(name, categories))


def _is_silent(name: str, categories: Mapping[str, bool | None]) -> bool:
    return name != UNSPECIFIED and categories.get(name) is None


def _action(category: str, policy: Mapping[str, Action]) -> Action:
    return policy.get(category, "block" if category == UNSPECIFIED else _OF_UNKNOWN)


def _flag(category: str) -> str:
    """Return the flag of a category; what does not look like the name of one is not repeated."""
    return f"moderation:{category}" if _NAME.fullmatch(category) else "moderation:other"
