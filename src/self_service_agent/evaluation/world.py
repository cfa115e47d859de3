"""The systems behind the tools: a ServiceNow for every person, all at one address, each with its own faults."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote_plus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from self_service_agent.doubles.servicenow.app import create_app
from self_service_agent.doubles.servicenow.employees import MockEmployee, employees
from self_service_agent.doubles.servicenow.faults import Faults
from self_service_agent.doubles.servicenow.orders import MockOrder
from self_service_agent.doubles.servicenow.settings import MockServiceNowSettings

from .scenarios import FaultSpec

_SLOW = timedelta(seconds=0.3)


class PersonalServiceNow:
    """What one person's records and orders are in."""

    def __init__(self, people: Iterable[MockEmployee]) -> None:
        self.faults = Faults()
        self.app = create_app(MockServiceNowSettings(), faults=self.faults)
        self.app.state.mock = replace(self.app.state.mock, people=tuple(people))

    @property
    def orders(self) -> tuple[MockOrder, ...]:
        """Every order that was taken, repeated or not."""
        orders: tuple[MockOrder, ...] = self.app.state.mock.book.orders
        return orders

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

    def __init__(self, people: Mapping[str, MockEmployee]) -> None:
        self._people = people
        self._of: dict[str, PersonalServiceNow] = {}
        self._owner = {mark: name for name, person in people.items() for mark in (person.email, person.sys_id)}
        self.elsewhere = PersonalServiceNow(employees())
        """Everybody who is in no scenario; nothing may ever be ordered here."""

    def of(self, scenario_id: str) -> PersonalServiceNow:
        """Return the ServiceNow of a scenario's person."""
        if scenario_id not in self._of:
            self._of[scenario_id] = PersonalServiceNow([self._people[scenario_id]])
        return self._of[scenario_id]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await read_body(receive)
        told = f"{unquote_plus(scope['query_string'].decode())} {body.decode(errors='replace')}"
        owner = next((name for mark, name in self._owner.items() if mark in told), None)
        app: ASGIApp = (self.elsewhere if owner is None else self.of(owner)).app
        await app(scope, giving(body), send)


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
