"""What was written on the mock's tickets, kept in memory or, across restarts, in a file of JSON lines."""

import asyncio
import uuid
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from . import files


class MockComment(BaseModel):
    """One comment; `element_id` is the `sys_id` of the row that it was written on."""

    model_config = ConfigDict(frozen=True)

    sys_id: str
    element_id: str
    value: str
    written_at: datetime


class Journal:
    """Takes every comment it is given, repeated or not, like the real system."""

    def __init__(self, state_file: Path | None = None) -> None:
        self._state_file = state_file
        self._comments = files.read(state_file, MockComment, "a comment")
        self._turn = asyncio.Lock()

    @property
    def comments(self) -> tuple[MockComment, ...]:
        return tuple(self._comments)

    async def record(self, *, element_id: str, value: str, now: datetime) -> MockComment:
        """Take a comment; with a state file it is on disk when this returns."""
        async with self._turn:
            comment = MockComment(sys_id=uuid.uuid4().hex, element_id=element_id, value=value, written_at=now)
            if self._state_file is not None:
                await asyncio.to_thread(files.append, self._state_file, comment)
            self._comments.append(comment)
            return comment
