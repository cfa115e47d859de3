"""The bus between services: events in, each handled once by each of its consumers, in the order of its session."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from self_service_agent.kit.database import PooledConnection

from .envelope import CloudEvent

DataT = TypeVar("DataT", bound=BaseModel)
AfterCommit = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Generic[DataT]):
    """One event with its data parsed, and as it came."""

    id: str
    partition_key: str
    sequence: int | None
    data: DataT
    text: str


# Handles events of one type, in order, inside one transaction that also remembers them as handled. It does database
# work only and commits nothing itself. What it returns is called after the commit.
Handler = Callable[[Sequence[Event[Any]], PooledConnection], Awaitable[AfterCommit | None]]


class UnacceptableEvent(Exception):
    """A handler can never accept this event: it goes to the dead letters at once."""


@dataclass(frozen=True, kw_only=True)
class Binding:
    """What a consumer does with one type of event."""

    data: type[BaseModel]
    handle: Handler


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """An event that was given up, and why."""

    id: int
    event: CloudEvent
    consumer: str
    attempts: int
    error: str


class Bus(Protocol):
    """Publishes in the caller's transaction; consumes with one handler for each type."""

    async def publish(self, events: Sequence[CloudEvent], connection: PooledConnection) -> None:
        """Store `events` for their consumers, in the transaction of `connection`. A known id is a duplicate."""
        ...

    def published(self, *types: str) -> None:
        """Say that events of these types were committed, so that their consumers look at once."""
        ...

    def consume(self, consumer: str, bindings: Mapping[str, Binding], *, durable: bool = True) -> None:
        """Register a consumer before the bus runs.

        Not durable: after a crash of the database the last events may be handled again. That is enough unless what
        is called after the commit tells somebody outside.
        """
        ...

    async def dead_letters(self, consumer: str, *, limit: int = 50) -> tuple[DeadLetter, ...]:
        """Return the events that `consumer` gave up, oldest first."""
        ...

    async def replay(self, dead_letter_id: int) -> None:
        """Hand a dead letter to its consumer again."""
        ...


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often a failing event is tried, and how long its session waits in between."""

    attempts: int = 8
    base: timedelta = timedelta(milliseconds=200)
    cap: timedelta = timedelta(minutes=5)

    def wait(self, attempt: int, *, random: float) -> timedelta | None:
        """Return the full-jitter wait after failed attempt number `attempt`, or None when it was the last.

        Source: the AWS Architecture Blog's "Exponential Backoff And Jitter".
        """
        if attempt >= self.attempts:
            return None
        return min(self.cap, self.base * 2.0 ** min(attempt - 1, 30)) * random


def partition_key_of(event: CloudEvent) -> str:
    """Return what orders this event: its partition key, else its subject, else its own id."""
    return str(event.extensions.get("partitionkey") or event.subject or event.id)
