"""The orders that the mock has taken, kept in memory or, across restarts, in a file of JSON lines."""

import asyncio
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from . import files

_FIRST_NUMBER = 10_001


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
    for_whom: str = ""

    @property
    def requested_for(self) -> str:
        """Whom it is for: a sys_id, a login or an e-mail address."""
        return self.for_whom or str(self.variables["who_is_this_request_for"])

    @property
    def correlation_id(self) -> str:
        """The caller's own key, from our hidden catalog variable."""
        return str(self.variables.get("correlation_id", ""))


class OrderBook:
    """Takes every order it is given, repeated or not, like the real system."""

    def __init__(self, state_file: Path | None = None) -> None:
        self._state_file = state_file
        self._orders = files.read(state_file, MockOrder, "an order")
        self._turn = asyncio.Lock()

    @property
    def orders(self) -> tuple[MockOrder, ...]:
        return tuple(self._orders)

    async def record(
        self, *, item_id: str, quantity: int, variables: dict[str, Any], now: datetime, for_whom: str = ""
    ) -> MockOrder:
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
                for_whom=for_whom,
            )
            if self._state_file is not None:
                await asyncio.to_thread(files.append, self._state_file, order)
            self._orders.append(order)
            return order
