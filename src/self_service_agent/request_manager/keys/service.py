"""Finding out whose key a caller shows, without a statement as long as the key is in use."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final, TypeVar

from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool
from self_service_agent.kit.group_writer import GroupWriter
from self_service_agent.kit.notifications import Notifier

from . import repository
from .environment import EnvironmentKeys
from .last_use import LastUse
from .rules import ApiKey, KeyOwner
from .text import digest, kind_of

TOPIC: Final = "api-keys"
VALID_FOR: Final = timedelta(seconds=30)
UNKNOWN_FOR: Final = timedelta(seconds=5)
_VALID_LIMIT = 50_000
UNKNOWN_LIMIT: Final = 10_000

ValueT = TypeVar("ValueT")


class ApiKeys:
    """The keys that people and tools may show, stored ones and those of the environment.

    Every process remembers the keys it saw for up to 30 seconds, and forgets one at once when it hears that it
    changed. What does not look like a key of ours is refused without asking the database; what looks like one and
    is unknown is remembered for a few seconds, a bounded number of them.
    """

    def __init__(
        self, pool: Pool, notifier: Notifier, environment: EnvironmentKeys, *, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._pool = pool
        self._notifier = notifier
        self._now = now
        self._environment = environment
        self._valid: dict[str, tuple[KeyOwner, datetime]] = {}
        self._unknown: dict[str, datetime] = {}
        self._changes = 0
        self._last_use = LastUse(pool)
        self._reading: GroupWriter[str, KeyOwner | None] = GroupWriter(self._read, rejections=())
        notifier.listen(TOPIC, self._forget)

    @property
    def environment(self) -> Sequence[ApiKey]:
        """The keys that are not stored, in an order that stays."""
        return sorted(self._environment.keys.values(), key=lambda key: key.key_id)

    def cached(self, key: str) -> KeyOwner | None:
        """Return the owner of a key that is at hand; None says nothing, `find` does."""
        return self._at_hand(digest(key))

    async def find(self, key: str) -> KeyOwner | None:
        """Return the owner of a key, or None if it is not, or no longer, a key. May raise `Overloaded`."""
        its_digest = digest(key)
        owner = self._at_hand(its_digest)
        if owner is not None or kind_of(key) is None or self._is_unknown(its_digest):
            return owner
        owner = await self._reading.submit(its_digest)
        if owner is not None:
            self._last_use.note(owner.key_id, self._now())
        return owner

    def changed(self, its_digest: str) -> None:
        """Tell every process that a key is not what it was; call it once that is committed."""
        self._notifier.notify(TOPIC, its_digest)

    def forget_all(self) -> None:
        """Look up every key anew: those of a person who is erased go with them."""
        self._forget("")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write down when keys were used last, for as long as this is open."""
        async with self._last_use.running():
            yield

    def _at_hand(self, its_digest: str) -> KeyOwner | None:
        if (known := self._environment.keys.get(its_digest)) is not None:
            return known.owner
        if (found := self._valid.get(its_digest)) is None:
            return None
        owner, until = found
        now = self._now()
        if until <= now:
            return None
        self._last_use.note(owner.key_id, now)
        return owner

    def _is_unknown(self, its_digest: str) -> bool:
        until = self._unknown.get(its_digest)
        return until is not None and until > self._now()

    async def _read(self, digests: Sequence[str]) -> Sequence[KeyOwner | None]:
        """Look up many keys at once, and remember each unless something changed meanwhile."""
        now, changes = self._now(), self._changes
        found = await repository.valid(self._pool, digests, now=now)
        if changes == self._changes:
            for its_digest in digests:
                self._remember(its_digest, found.get(its_digest), now)
        return [found[each].owner if each in found else None for each in digests]

    def _remember(self, its_digest: str, key: ApiKey | None, now: datetime) -> None:
        if key is None:
            _put(self._unknown, its_digest, now + UNKNOWN_FOR, limit=UNKNOWN_LIMIT)
        else:
            until = min(now + VALID_FOR, key.expires_at or now + VALID_FOR)
            _put(self._valid, its_digest, (key.owner, until), limit=_VALID_LIMIT)

    def _forget(self, its_digest: str) -> None:
        """Forget one key, or all of them if the message got lost."""
        self._changes += 1
        if its_digest:
            self._valid.pop(its_digest, None)
            self._unknown.pop(its_digest, None)
        else:
            self._valid.clear()
            self._unknown.clear()


def _put(memory: dict[str, ValueT], its_digest: str, value: ValueT, *, limit: int) -> None:
    """Remember something as the newest; the oldest makes room for it."""
    memory.pop(its_digest, None)
    while len(memory) >= limit:
        del memory[next(iter(memory))]
    memory[its_digest] = value
