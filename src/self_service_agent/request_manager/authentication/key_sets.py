"""The published keys of issuers: fetched, kept fresh in the background, and fetched again for a key that is new."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Self

import structlog
from joserfc.jwk import Key

from self_service_agent.kit import clock
from self_service_agent.kit.http.client import Client, HttpError, Response

from .issuers import Issuer
from .keys import UnusableKey, read_published

_MOST_DOUBLINGS = 16

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """How often issuers are asked: every `refresh`, and within `window` at most once because of a token.

    What was fetched last is used for `keep` while its issuer is down.
    """

    refresh: timedelta = timedelta(minutes=5)
    window: timedelta = timedelta(seconds=10)
    keep: timedelta = timedelta(hours=24)
    longest_pause: timedelta = timedelta(minutes=1)
    timeout: timedelta = timedelta(seconds=5)


class KeySets:
    """The keys of each issuer, configured or published."""

    def __init__(self, issuers: Iterable[Issuer], published: "dict[str, _PublishedKeys]") -> None:
        self._configured = {issuer.issuer: issuer.keys for issuer in issuers if issuer.keys is not None}
        self._published = published

    @classmethod
    @asynccontextmanager
    async def open(cls, issuers: Iterable[Issuer], http: Client, rhythm: Rhythm | None = None) -> AsyncIterator[Self]:
        """Yield the keys of `issuers`, which are fetched and kept fresh for as long as this is open."""
        issuers = tuple(issuers)
        async with asyncio.TaskGroup() as tasks:
            published = {
                issuer.issuer: _PublishedKeys(
                    issuer.issuer, issuer.jwks_uri, http=http, tasks=tasks, rhythm=rhythm or Rhythm()
                )
                for issuer in issuers
                if issuer.jwks_uri is not None
            }
            refreshing = [keys.start() for keys in published.values()]
            try:
                yield cls(issuers, published)
            finally:
                for task in refreshing:
                    task.cancel()
                for keys in published.values():
                    keys.stop()

    async def known(self, issuer: Issuer, *, now: datetime) -> tuple[Key, ...]:
        """Return the keys at hand; they are waited for only while there are none."""
        published = self._published.get(issuer.issuer)
        return self._configured[issuer.issuer] if published is None else await published.known(now=now)

    async def newer(self, issuer: Issuer, *, now: datetime) -> tuple[Key, ...]:
        """Return the keys after asking the issuer again, if it was not asked a moment ago."""
        published = self._published.get(issuer.issuer)
        return self._configured[issuer.issuer] if published is None else await published.newer(now=now)


class _PublishedKeys:
    """The keys at one `jwks_uri`. All who need them at the same time wait for the same fetch."""

    def __init__(self, issuer: str, uri: str, *, http: Client, tasks: asyncio.TaskGroup, rhythm: Rhythm) -> None:
        self._issuer = issuer
        self._uri = uri
        self._http = http
        self._tasks = tasks
        self._rhythm = rhythm
        self._fetched: tuple[tuple[Key, ...], datetime] | None = None
        self._asked_at: datetime | None = None
        self._fetching: asyncio.Task[bool] | None = None

    async def known(self, *, now: datetime) -> tuple[Key, ...]:
        return self._at_hand(now) or await self.newer(now=now)

    async def newer(self, *, now: datetime) -> tuple[Key, ...]:
        if self._is_fetching or self._may_ask(now):
            await asyncio.shield(self._fetch(now))
        return self._at_hand(now)

    def start(self) -> "asyncio.Task[None]":
        """Begin with a fetch that the first callers can wait for."""
        self._fetch(clock.now())
        return self._tasks.create_task(self._keep_fresh())

    async def _keep_fresh(self) -> None:
        failures = 0
        while True:
            if await self._fetch(clock.now()):
                failures, pause = 0, self._rhythm.refresh
            else:
                pause = min(self._rhythm.longest_pause, timedelta(seconds=2**failures))
                failures = min(failures + 1, _MOST_DOUBLINGS)
            await asyncio.sleep(pause.total_seconds())

    def stop(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()

    @property
    def _is_fetching(self) -> bool:
        return self._fetching is not None and not self._fetching.done()

    def _at_hand(self, now: datetime) -> tuple[Key, ...]:
        if self._fetched is None:
            return ()
        keys, fetched_at = self._fetched
        return keys if now - fetched_at < self._rhythm.keep else ()

    def _may_ask(self, now: datetime) -> bool:
        """Tell whether a token may make us ask, and remember that one did."""
        if self._asked_at is not None and abs(now - self._asked_at) < self._rhythm.window:
            return False
        self._asked_at = now
        return True

    def _fetch(self, now: datetime) -> "asyncio.Task[bool]":
        """Return the fetch that is under way, or begin one; it tells whether it brought keys."""
        if self._fetching is None or self._fetching.done():
            self._fetching = self._tasks.create_task(self._read(now))
        return self._fetching

    async def _read(self, now: datetime) -> bool:
        try:
            response = await self._http.get(
                self._uri, headers={"accept": "application/json"}, timeout=self._rhythm.timeout
            )
            self._fetched = _keys_of(response), now
        except (HttpError, UnusableKey) as error:
            log.warning("jwt.keys_not_fetched", issuer=self._issuer, error=str(error))
            return False
        return True


def _keys_of(response: Response) -> tuple[Key, ...]:
    if response.status != HTTPStatus.OK or response.truncated:
        raise UnusableKey(f"the answer is {response.status}{', and too long' if response.truncated else ''}")
    return read_published(response.content)
