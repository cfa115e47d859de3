"""The systems behind the tools: a ServiceNow for every person, all at one address, each with its own faults."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote_plus

from starlette.types import Message, Receive, Scope, Send

from self_service_agent.doubles.servicenow.app import create_app
from self_service_agent.doubles.servicenow.employees import MockEmployee
from self_service_agent.doubles.servicenow.faults import Faults
from self_service_agent.doubles.servicenow.orders import MockOrder
from self_service_agent.doubles.servicenow.settings import MockServiceNowSettings
from self_service_agent.kit import clock

from .scenarios import FaultSpec, Scenario, TicketSpec

_SLOW = timedelta(seconds=0.3)
_REFERENCE = re.compile(r"\n\[ref: (\S+)\]\s*$")


class PersonalServiceNow:
    """What one person's records, orders and comments are in; everybody whom they deal with is known there too."""

    def __init__(self, people: Iterable[MockEmployee] = (), *, tickets: Sequence[TicketSpec] = ()) -> None:
        self.faults = Faults()
        self.app = create_app(MockServiceNowSettings(), faults=self.faults)
        mock = self.app.state.mock
        self.state = replace(mock, people=(*people, *mock.people))
        self.app.state.mock = self.state
        self._tickets = tickets
        self._before = 0

    async def open_tickets(self, person: MockEmployee) -> None:
        """Order what was ordered before the conversation; that is not counted as ordered in it."""
        for ticket in self._tickets[self._before :]:
            await self.state.book.record(
                item_id=ticket.item_id,
                quantity=1,
                variables=dict(ticket.variables),
                now=clock.now(),
                for_whom=person.sys_id,
            )
            self._before += 1

    @property
    def orders(self) -> tuple[MockOrder, ...]:
        """Every order that was taken in the conversation, repeated or not."""
        orders: tuple[MockOrder, ...] = self.state.book.orders
        return orders[self._before :]

    @property
    def comments(self) -> tuple[str, ...]:
        """Every comment that was written, repeated or not, without the keys behind them."""
        return tuple(_REFERENCE.sub("", comment.value) for comment in self.state.journal.comments)

    def holds(self, told: str) -> bool:
        """Say whether a call names one of the orders here, or the key of one of the comments."""
        if any(order.sys_id in told for order in self.state.book.orders):
            return True
        keys = (_REFERENCE.search(comment.value) for comment in self.state.journal.comments)
        return any(key is not None and key[1] in told for key in keys)

    def break_down(self, fault: FaultSpec) -> None:
        """Let the next calls go wrong."""
        match fault.kind:
            case "down":
                self.faults.spare_next, self.faults.fail_next = fault.spare, fault.count
            case "slow":
                self.faults.delay = _SLOW
            case "lost-answer":
                self.faults.lose_next = fault.count
            case "cart":
                self.faults.cart_next = fault.count
            case "wrong-payload" | "cut":
                pass  # the tool server's own faults


class World:
    """One ASGI application that hands each call to the ServiceNow of the person whom it is about."""

    def __init__(self, people: Mapping[str, MockEmployee], scenarios: Iterable[Scenario]) -> None:
        self._of = {each.id: (people[each.id], each.person.tickets) for each in scenarios}
        self._open: dict[str, PersonalServiceNow] = {}
        self._owner = {mark: name for name, person in people.items() for mark in (person.email, person.sys_id)}
        self.elsewhere = PersonalServiceNow()
        """Everybody who is in no scenario; nothing may ever be ordered here."""

    def of(self, scenario_id: str) -> PersonalServiceNow:
        """Return the ServiceNow of a scenario's person."""
        if scenario_id not in self._open:
            person, tickets = self._of[scenario_id]
            self._open[scenario_id] = PersonalServiceNow([person], tickets=tickets)
        return self._open[scenario_id]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await read_body(receive)
        told = " ".join((scope["path"], unquote_plus(scope["query_string"].decode()), body.decode(errors="replace")))
        await self._about(told).app(scope, giving(body), send)

    def _about(self, told: str) -> PersonalServiceNow:
        owner = next((name for mark, name in self._owner.items() if mark in told), None)
        if owner is not None:
            return self.of(owner)
        return next((each for each in self._open.values() if each.holds(told)), self.elsewhere)


async def read_body(receive: Receive) -> bytes:
    """Return everything that a caller sent."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


def giving(body: bytes) -> Receive:
    """Return what an application receives when it is told `body`; afterwards nobody hangs up."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive
