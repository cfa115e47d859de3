"""The orders that the mock has taken, kept in memory or, across restarts, in a file of JSON lines."""

import asyncio
import os
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

_FIRST_NUMBER = 10_001


class BrokenStateFile(ValueError):
    """A line of the state file is not an order."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(f"{path}, line {line}: not an order; repair or remove the line, or delete the file")
        self.path = path
        self.line = line


class MockOrder(BaseModel):
    """One order; `variables` are as the caller sent them."""

    model_config = ConfigDict(frozen=True)

    sys_id: str
    number: str
    item_number: str
    item_id: str
    quantity: int
    variables: dict[str, Any]
    opened_at: datetime

    @property
    def requested_for(self) -> str:
        """Whom it is for: a sys_id, a login or an e-mail address."""
        return str(self.variables["who_is_this_request_for"])

    @property
    def correlation_id(self) -> str:
        """The caller's own key, from our hidden catalog variable."""
        return str(self.variables.get("correlation_id", ""))


class OrderBook:
    """Takes every order it is given, repeated or not, like the real system."""

    def __init__(self, state_file: Path | None = None) -> None:
        self._state_file = state_file
        self._orders = [] if state_file is None else _read(state_file)
        self._turn = asyncio.Lock()

    @property
    def orders(self) -> tuple[MockOrder, ...]:
        return tuple(self._orders)

    async def record(self, *, item_id: str, quantity: int, variables: dict[str, Any], now: datetime) -> MockOrder:
        """Take an order; with a state file it is on disk when this returns."""
        async with self._turn:
            number = _FIRST_NUMBER + len(self._orders)
            order = MockOrder(
                sys_id=uuid.uuid4().hex,
                number=f"REQ{number:07d}",
                item_number=f"RITM{number:07d}",
                item_id=item_id,
                quantity=quantity,
                variables=variables,
                opened_at=now,
            )
            if self._state_file is not None:
                await asyncio.to_thread(_append, self._state_file, order)
            self._orders.append(order)
            return order


def _append(path: Path, order: MockOrder) -> None:
    with path.open("ab") as file:
        file.write(order.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> list[MockOrder]:
    """Read what was written; a last line that a crash cut short was never answered and is cut off.

    Raises `BrokenStateFile` for any other line that is not an order.
    """
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    return [_order(line, path, number) for number, line in enumerate(whole.splitlines(), start=1)]


def _order(line: bytes, path: Path, number: int) -> MockOrder:
    try:
        return MockOrder.model_validate_json(line)
    except ValidationError as error:
        raise BrokenStateFile(path, number) from error
