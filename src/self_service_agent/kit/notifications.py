"""Wake-ups between tasks and processes: who waits for a topic is woken when somebody says there is something new.

A NOTIFY inside a business transaction would make all commits queue up behind each other, so one task sends them
afterwards, many topics at a time, and only while another process listens. Wake-ups may be lost with the connection;
whoever waits also looks now and then without one (`Wakeup.wait` returns after `sweep`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import orjson
import structlog

from .database import DATABASE_TROUBLE, Address, Connection
from .ids import new_id

_CHANNEL = "ssa_wakeups"
_PAYLOAD_LIMIT = 7_500  # PostgreSQL allows 8,000 bytes
PRESENCE = 0x55A  # advisory lock class: every listening process holds the lock of its replica id in it
_PRESENCE_INTERVAL = 5.0
_RECONNECT_SECONDS = 1.0
_HELLO = "hello"

log = structlog.get_logger(__name__)


class Wakeup:
    """A flag that one task waits for. Clear it (by `wait`) before reading the work, never after."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self, *, sweep: timedelta | None = None) -> bool:
        """Return when woken, or False after `sweep` without a wake-up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if sweep is None else sweep.total_seconds()):
                await self._event.wait()
        woken = self._event.is_set()
        self._event.clear()
        return woken


class Notifier:
    """Carries topics, and short messages under a topic, to every listener in this process and the others."""

    def __init__(self, *, replica: str | None = None) -> None:
        self.replica = replica or new_id()
        self._listeners: dict[str, list[Callable[[str], None]]] = {}
        self._outgoing: dict[tuple[str, str], None] = {}
        self._changed = asyncio.Event()
        self._others = False

    def listen(self, topic: str, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener` with the message whenever `topic` is notified; the returned function ends that."""
        self._listeners.setdefault(topic, []).append(listener)
        return lambda: self._listeners[topic].remove(listener)

    def wakeup(self, topic: str) -> Wakeup:
        """Return a flag that is set whenever `topic` is notified."""
        flag = Wakeup()
        self.listen(topic, lambda _message: flag.set())
        return flag

    def notify(self, topic: str, message: str = "") -> None:
        """Tell the listeners of this process now and those of other processes soon; never blocks, may be lost."""
        self._deliver(topic, message)
        if self._others:
            self._outgoing[topic, message] = None
            self._changed.set()

    @asynccontextmanager
    async def running(self, address: Address) -> AsyncIterator[None]:
        """Stay connected to the other processes for as long as this is open."""
        connection = await self._connect(address)
        try:
            async with asyncio.TaskGroup() as tasks:
                link = tasks.create_task(self._stay_connected(address, connection))
                try:
                    yield
                finally:
                    link.cancel()
        finally:  # a task that is cancelled before its first step closes nothing
            with contextlib.suppress(*DATABASE_TROUBLE):
                await connection.close(timeout=1)

    async def _stay_connected(self, address: Address, connection: Connection) -> None:
        while True:
            try:
                await self._serve(connection)
            except DATABASE_TROUBLE as error:
                log.warning("notifications.disconnected", error=str(error))
            finally:
                with contextlib.suppress(*DATABASE_TROUBLE):
                    await connection.close(timeout=1)
            connection = await self._reconnect(address)
            self._wake_everybody()

    async def _reconnect(self, address: Address) -> Connection:
        while True:
            with contextlib.suppress(Exception):
                return await self._connect(address)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _connect(self, address: Address) -> Connection:
        connection = await address.connect()
        connection.add_termination_listener(lambda _connection: self._changed.set())
        await connection.add_listener(_CHANNEL, self._receive)
        await connection.execute("SELECT pg_advisory_lock_shared($1, hashtext($2))", PRESENCE, self.replica)
        await connection.execute("SELECT pg_notify($1, $2)", _CHANNEL, _encode(self.replica, [(_HELLO, "")]))
        self._others = await self._count_others(connection)
        return connection

    async def _serve(self, connection: Connection) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PRESENCE_INTERVAL):
                    while True:
                        await self._changed.wait()
                        await self._send(connection)
            self._others = await self._count_others(connection)

    async def _count_others(self, connection: Connection) -> bool:
        held = await connection.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())",
            PRESENCE,
        )
        return int(held) > 1

    async def _send(self, connection: Connection) -> None:
        if connection.is_closed():
            raise ConnectionError("the server ended the connection")
        self._changed.clear()
        outgoing, self._outgoing = self._outgoing, {}
        for payload in _payloads(self.replica, outgoing):
            await connection.execute("SELECT pg_notify($1, $2)", _CHANNEL, payload)

    def _receive(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        replica, notices = orjson.loads(str(payload))
        if replica == self.replica:
            return
        self._others = True
        for topic, message in notices:
            if topic == _HELLO:
                self._wake_everybody()
            else:
                self._deliver(topic, message)

    def _deliver(self, topic: str, message: str) -> None:
        for listener in tuple(self._listeners.get(topic, ())):
            listener(message)

    def _wake_everybody(self) -> None:
        for topic in tuple(self._listeners):
            self._deliver(topic, "")


def _payloads(replica: str, notices: Mapping[tuple[str, str], None]) -> list[str]:
    """Split notices into payloads below the limit; one that is too long by itself loses its message."""
    payloads: list[str] = []
    group: list[tuple[str, str]] = []
    size = 0
    for topic, message in notices:
        length = len(orjson.dumps((topic, message))) + 1
        kept = message if length < _PAYLOAD_LIMIT else ""
        if size + length > _PAYLOAD_LIMIT and group:
            payloads.append(_encode(replica, group))
            group, size = [], 0
        group.append((topic, kept))
        size += length
    return [*payloads, _encode(replica, group)] if group else payloads


def _encode(replica: str, notices: Sequence[tuple[str, str]]) -> str:
    return orjson.dumps((replica, notices)).decode()
