"""What was seen of a scenario: everything that was said, called and ordered. Nothing here judges."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from self_service_agent.doubles.servicenow.employees import MockEmployee
from self_service_agent.doubles.servicenow.orders import MockOrder

from .scenarios import Scenario
from .witness import ToolExchange


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One message and its answer; `answer` is None for a message that was accepted and never answered.

    `again` is the answer to the same request when it was delivered a second time, and `refused` why a message was not
    accepted at all. `milliseconds` is what the caller waited.
    """

    act: str
    said: str
    door: str
    key: str
    request_id: str | None = None
    session_id: str | None = None
    answer: str | None = None
    metadata: dict[str, Any]
    milliseconds: float
    turn_milliseconds: int = 0
    again: str | None = None
    refused: str | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """One scenario as it went. `broken` is why it could not be carried to its end, if it could not."""

    scenario: Scenario
    person: MockEmployee
    exchanges: tuple[Exchange, ...]
    orders: tuple[MockOrder, ...]
    tool_calls: tuple[ToolExchange, ...]
    comments: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    broken: str | None = None

    @property
    def answered(self) -> Iterator[Exchange]:
        """The exchanges that have an answer."""
        return (exchange for exchange in self.exchanges if exchange.answer is not None)

    @property
    def last_metadata(self) -> dict[str, Any]:
        """The envelope of the last answer."""
        return next((each.metadata for each in reversed(self.exchanges) if each.answer is not None), {})

    @property
    def ordered(self) -> list[dict[str, Any]]:
        """What was ordered, as one set of values for each order."""
        return [{"item_id": order.item_id, **order.variables} for order in self.orders]

    @property
    def words(self) -> str:
        """Everything the person wrote."""
        return "\n".join(exchange.said for exchange in self.exchanges)
