"""What people and administrators can ask about deliveries, and have done again."""

from dataclasses import replace

import asyncpg

from self_service_agent.integration_dispatcher.preferences.repository import person_named, recipients
from self_service_agent.kit.database import Pool, finish
from self_service_agent.kit.notifications import Notifier
from self_service_agent.kit.paging import Window
from self_service_agent.shared_models.integrations import IntegrationType

from . import repository
from .planning import Consideration, Planning
from .queue import TOPIC
from .repository import Search


class DeliveryNotFound(Exception):
    """There is no delivery with this id."""

    def __init__(self) -> None:
        super().__init__("Delivery not found")


class NotReplayable(Exception):
    """The delivery is under way, or has arrived."""


class Deliveries:
    """The record of deliveries."""

    def __init__(self, pool: Pool, notifier: Notifier, planning: Planning) -> None:
        self._pool = pool
        self._notifier = notifier
        self._planning = planning

    async def of_user(self, name: str, window: Window) -> list[asyncpg.Record]:
        """Return a person's deliveries, newest first."""
        person = await person_named(self._pool, name)
        return await repository.of_user(self._pool, person.user_id, limit=window.limit, offset=window.offset)

    async def matching(self, search: Search, window: Window) -> list[asyncpg.Record]:
        """Return deliveries of anybody, newest first; the user may be named by id, e-mail or login."""
        if search.user_id is not None:
            person = await person_named(self._pool, search.user_id)
            search = replace(search, user_id=person.user_id)
        return await repository.matching(self._pool, search, limit=window.limit, offset=window.offset)

    async def given_up(self, window: Window) -> list[asyncpg.Record]:
        """Return the deliveries that nobody tries any more and that have not arrived for certain, newest first."""
        return await repository.given_up(self._pool, limit=window.limit, offset=window.offset)

    async def find(self, delivery_id: str) -> asyncpg.Record | None:
        return await repository.one(self._pool, delivery_id)

    async def attempts_of(self, delivery_id: str) -> list[asyncpg.Record]:
        return await repository.attempts_of(self._pool, delivery_id)

    async def replay(self, delivery: asyncpg.Record) -> asyncpg.Record:
        """Open a delivery again with all its retries, or raise `NotReplayable`."""
        recipient = (await recipients(self._pool, [delivery["user_id"]]))[delivery["user_id"]]
        config = self._planning.config(IntegrationType(delivery["integration_type"]), recipient)
        replayed = await finish(
            repository.replay(
                self._pool,
                delivery["delivery_id"],
                max_attempts=1 + config.retry_count,
                retry_delay_seconds=config.retry_delay_seconds,
                expiry=self._planning.expiry,
            )
        )
        if replayed is None:
            raise NotReplayable("only a delivery that failed, was given up or was skipped can be replayed")
        self._notifier.notify(TOPIC)
        return replayed

    async def explain(self, name: str) -> tuple[Consideration, ...]:
        """Say of each channel whether an answer to this person would go there."""
        person = await person_named(self._pool, name)
        known = (await recipients(self._pool, [person.user_id]))[person.user_id]
        return self._planning.consider_all(replace(known, person=person), self._planning.defaults, origin={})
