"""What makes definitions be read again: a change in their folder, a signal, or a word from another process."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from watchfiles import awatch

from self_service_agent.agent_service.definitions.errors import DefinitionError
from self_service_agent.kit.database import DATABASE_TROUBLE
from self_service_agent.kit.notifications import Notifier

from .roster import Roster

TOPIC = "agents/reload"
_PAUSE = 5.0  # seconds until a folder that could not be watched is tried again

log = structlog.get_logger(__name__)


class Reloading:
    """Reads the definitions again when told to, and passes the word on to the other processes."""

    def __init__(self, roster: Roster, notifier: Notifier) -> None:
        self._roster = roster
        self._notifier = notifier
        self._wanted = asyncio.Event()
        notifier.listen(TOPIC, self._hear)

    async def reload_everywhere(self) -> tuple[str, ...]:
        """Read the definitions again here, then have the others do so; raises what `Roster.reload` does."""
        changed = await self._roster.reload()
        self._notifier.notify(TOPIC, self._notifier.replica)
        return changed

    @asynccontextmanager
    async def running(self, *, watched: Path | None = None) -> AsyncIterator[None]:
        """Obey SIGHUP and the other processes for as long as this is open, and changes in the `watched` folder."""
        loop = asyncio.get_running_loop()
        # Only the main thread of a process gets signals.
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        async with asyncio.TaskGroup() as tasks:
            work = [tasks.create_task(self._obey())]
            if watched is not None:
                work.append(tasks.create_task(self._watch(watched)))
            try:
                yield
            finally:
                for task in work:
                    task.cancel()
                with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
                    loop.remove_signal_handler(signal.SIGHUP)

    def _hear(self, replica: str) -> None:
        # An empty message comes to everybody when processes meet, and one's own is no news.
        if replica and replica != self._notifier.replica:
            self._wanted.set()

    def _hang_up(self) -> None:
        self._wanted.set()
        self._notifier.notify(TOPIC, self._notifier.replica)

    async def _obey(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._reload()

    async def _watch(self, folder: Path) -> None:
        while True:
            with contextlib.suppress(OSError, RuntimeError):
                async for _ in awatch(folder, debounce=200, step=50, recursive=True, ignore_permission_denied=True):
                    await self._reload()
            log.warning("agents.folder_not_watched", folder=str(folder))
            await asyncio.sleep(_PAUSE)

    async def _reload(self) -> None:
        # What is wrong is in the roster already; whatever it is, the agents that answer go on.
        try:
            await self._roster.reload()
        except DefinitionError:
            pass
        except DATABASE_TROUBLE as error:
            log.warning("agents.not_stored", error=str(error))
        except Exception:
            log.exception("agents.not_reloaded")
