"""Makes valid answers, people and channels; a test names only what matters to it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from self_service_agent.channels.base import Manifest, NoAddress, Person, Receipt, Reply
from self_service_agent.eventing.bus import Event
from self_service_agent.integration_dispatcher.channels import OpenChannel
from self_service_agent.integration_dispatcher.deliveries.handlers import plan_deliveries
from self_service_agent.integration_dispatcher.deliveries.planning import Planning
from self_service_agent.integration_dispatcher.preferences.defaults import integration_defaults
from self_service_agent.integration_dispatcher.preferences.repository import added_person, store
from self_service_agent.integration_dispatcher.preferences.rules import Override, Recipient
from self_service_agent.integration_dispatcher.settings import DeliverySettings
from self_service_agent.kit.database import Pool
from self_service_agent.kit.ids import derived_id, new_id
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.events import RequestCompleted
from self_service_agent.shared_models.integrations import IntegrationConfig, IntegrationType
from self_service_agent.shared_models.requests import AgentResponse
from self_service_agent.shared_models.users import user_id_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALICE = "alice.johnson"
EMAIL, WEBHOOK, SLACK, TEST = (
    IntegrationType.EMAIL, IntegrationType.WEBHOOK, IntegrationType.SLACK, IntegrationType.TEST,
)  # fmt: skip


class ScriptedAddress(BaseModel):
    url: str


class ScriptedChannel:
    """Answers from its script first, then always yes; `gate` holds every delivery until it is set."""

    integration_type = TEST

    def __init__(self, *script: Exception) -> None:
        self.script = deque(script)
        self.replies: list[Reply] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()

    async def deliver(self, reply: Reply, address: ScriptedAddress) -> Receipt:
        self.replies.append(reply)
        self.arrived.set()
        await self.gate.wait()
        if self.script:
            raise self.script.popleft()
        return Receipt(external_id=f"{address.url}#{len(self.replies)}")


def scripted_address(_person: Person, config: Mapping[str, Any], _origin: Mapping[str, Any]) -> ScriptedAddress:
    if config.get("url") == "":
        raise NoAddress("no url is known")
    return ScriptedAddress(url=config.get("url", "test:"))


def an_open_channel(channel: Any = None, *, kind: IntegrationType = TEST, repeatable: bool = True) -> OpenChannel:
    @asynccontextmanager
    async def opened(_settings: Any, _client: Any) -> AsyncIterator[Any]:
        yield channel

    manifest = Manifest(
        integration_type=kind,
        defaults=a_config(),
        read_settings=dict,
        open=opened,
        address_of=scripted_address,
    )
    return OpenChannel(manifest=manifest, channel=channel or ScriptedChannel(), repeatable=repeatable)


def a_config(**changes: Any) -> IntegrationConfig:
    values = {"enabled": True, "priority": 5, "retry_count": 1, "retry_delay_seconds": 10, "config": {}}
    return IntegrationConfig(**{**values, **changes})


def a_planning(*opened: OpenChannel, **changes: Any) -> Planning:
    """Only the open channels are on by default."""
    installed = {each.manifest.integration_type: each.manifest.defaults for each in opened}
    values = {
        "defaults": integration_defaults(installed, {}),
        "opened": {each.manifest.integration_type: each for each in opened},
        "expiry": timedelta(hours=72),
    }
    return Planning(**{**values, **changes})


def some_settings(**changes: Any) -> DeliverySettings:
    return DeliverySettings(**{f"delivery_{name}": value for name, value in changes.items()})


def a_recipient(**overrides: Override) -> Recipient:
    person = Person(user_id=user_id_of(ALICE), login=ALICE, email="alice.johnson@company.com")
    return Recipient(person=person, overrides={IntegrationType(kind): each for kind, each in overrides.items()})


def an_answer(
    *channels: IntegrationType, user: str = ALICE, request_id: str | None = None, session_id: str = "session-1",
    **changes: Any,
) -> RequestCompleted:  # fmt: skip
    response = {
        "request_id": request_id or new_id(),
        "session_id": session_id,
        "user_id": user_id_of(user),
        "agent_id": "laptop-refresh-agent",
        "content": "Your new laptop is ordered.",
        "created_at": NOON,
    }
    return RequestCompleted(
        response=AgentResponse(**{**response, **changes}),
        integration_type=IntegrationType.WEB,
        channels=channels,
        integration_context={"thread_id": "thread-1"},
    )


def delivery_id_of(answer: RequestCompleted, kind: IntegrationType = TEST) -> str:
    return derived_id(answer.response.request_id, kind)


async def override(pool: Pool, kind: IntegrationType, *, user: str = ALICE, **changes: Any) -> None:
    """Store an override, and the person with it."""
    async with pool.acquire() as connection:
        person = await added_person(connection, user)
        await store(connection, person.user_id, kind, override=Override(**changes))


async def hand_over(
    pool: Pool, planning: Planning, answers: Iterable[RequestCompleted], *, notifier: Notifier | None = None
) -> None:
    """Bring answers to the dispatcher as the bus does."""
    events = [
        Event(id=new_id(), partition_key=each.response.session_id, sequence=None, data=each, text="")
        for each in answers
    ]
    async with pool.acquire() as connection:
        async with connection.transaction():
            after_commit = await plan_deliveries(events, connection, planning=planning, notifier=notifier or Notifier())
        after_commit()
