"""Decisions about calls: what they may cost, and how long to wait before another."""

from .errors import BudgetSpent

ANSWER_LIMIT = 20_000  # characters; no answer that we ask for is a tenth of that
_CHARACTERS_PER_TOKEN = 3.5
_FIRST_PAUSE = 0.25


def estimated_tokens(characters: int) -> int:
    """Return about how many tokens a text has, rather too many than too few for English."""
    return round(characters / _CHARACTERS_PER_TOKEN + 0.5)


def turn_share(used: int, expected: int, *, limit: int) -> None:
    """Raise `BudgetSpent` if a call would take a turn past its tokens; a limit of 0 is none."""
    if limit and used + expected > limit:
        raise BudgetSpent("the tokens of the turn are used up")


def pause_before(attempt: int, *, asked: float | None) -> float:
    """Return how many seconds to wait before the given attempt, from 2 on."""
    return asked if asked is not None else _FIRST_PAUSE * 2.0 ** (attempt - 2)
