"""The outside world of the system under test: a ServiceNow, a mail server and a webhook receiver that never die."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from self_service_agent.doubles.mailbox import Mailbox
from self_service_agent.doubles.receiver import Receiver
from self_service_agent.doubles.servicenow.app import create_app
from self_service_agent.doubles.servicenow.employees import MockEmployee, MockLaptop
from self_service_agent.doubles.servicenow.faults import Faults
from self_service_agent.doubles.servicenow.orders import OrderBook
from self_service_agent.doubles.servicenow.settings import MockServiceNowSettings
from tests.doubles_servicenow.serving import serving

_EVERYTHING = 100_000


@dataclass(frozen=True, kw_only=True)
class Peers:
    """Everything the system talks to, and what reached it."""

    servicenow_url: str
    book: OrderBook
    mailbox: Mailbox
    receiver: Receiver

    def environment(self) -> dict[str, str]:
        """Return the variables by which the system finds its peers."""
        return {
            "SERVICENOW_INSTANCE_URL": self.servicenow_url,
            "SMTP_HOST": self.mailbox.host,
            "SMTP_PORT": str(self.mailbox.port),
            "SMTP_USE_TLS": "false",
            "FROM_EMAIL": "self-service@company.com",
            "EGRESS_ALLOW_LOOPBACK": "true",
        }


@asynccontextmanager
async def open_peers(people: Sequence[MockEmployee]) -> AsyncIterator[Peers]:
    """Yield the peers; ServiceNow knows `people`, and takes a moment for each call so that a kill can fall into it."""
    servicenow = create_app(MockServiceNowSettings(), faults=Faults(delay=timedelta(milliseconds=20)))
    servicenow.state.mock = replace(servicenow.state.mock, people=tuple(people))
    async with AsyncExitStack() as stack:
        yield Peers(
            servicenow_url=await stack.enter_async_context(serving(servicenow)),
            book=servicenow.state.mock.book,
            mailbox=await stack.enter_async_context(Mailbox.open(keep=_EVERYTHING)),
            receiver=await stack.enter_async_context(Receiver.open(keep=_EVERYTHING)),
        )


def an_employee(number: int) -> MockEmployee:
    """Return somebody whose laptop is due."""
    laptop = MockLaptop(
        asset_tag=f"DL74{number:05}",
        serial_number=f"SN-DL74{number:05}",
        model="Latitude 7420",
        laptop_class="standard",
        purchased_months_ago=40,
    )
    return MockEmployee(
        sys_id=f"9{number:05}",
        login=f"person.{number}",
        name=f"Person {number}",
        email=f"person.{number}@company.com",
        region="EMEA",
        active=True,
        laptops=(laptop,),
    )
