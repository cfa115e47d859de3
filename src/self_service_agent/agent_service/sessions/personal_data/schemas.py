"""What is said about an erasure."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class Remaining(BaseModel):
    """Something that is still there, and why."""

    what: str
    why: str


class DoneOutside(BaseModel):
    """Something a tool did in another system, with that system's answer."""

    tool: str
    at: datetime
    result: dict[str, Any] | None


class Erasure(BaseModel):
    """What was deleted, by table, and what remains.

    `unanswered_requests` were accepted and get no answer any more; `done_outside` is to be erased by others.
    """

    user_id: str
    deleted: dict[str, int]
    unanswered_requests: int
    remains: list[Remaining]
    done_outside: list[DoneOutside]
