"""The agents that answer at this moment, and how newer definitions take their place."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from self_service_agent.agent_service.definitions.errors import DefinitionError
from self_service_agent.agent_service.definitions.loader import Definitions
from self_service_agent.kit import clock

Prepare = Callable[[Definitions], Awaitable[object]]
Adopt = Callable[[Definitions], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Newer definitions that were not taken, and what is wrong with them."""

    at: datetime
    problems: tuple[str, ...]


class Roster:
    """One set of definitions at a time; a new one is taken as a whole or not at all.

    `prepare` are done before a new set answers, such as storing it; a failure of theirs keeps the old one. `adopt`
    must not wait, so that no turn sees a part of each.
    """

    def __init__(
        self, definitions: Definitions, *, read: Callable[[], Definitions], prepare: Sequence[Prepare], adopt: Adopt
    ) -> None:
        self.definitions = definitions
        self.loaded_at = clock.now()
        self.refusal: Refusal | None = None
        self._read = read
        self._prepare = tuple(prepare)
        self._adopt = adopt
        self._reloading = asyncio.Lock()

    async def reload(self) -> tuple[str, ...]:
        """Read the definitions again and return the ids of the agents that changed.

        Raises `DefinitionError` when anything is wrong with them, and whatever storing them raises; those that answer
        stay.
        """
        async with self._reloading:
            try:
                return await self._replaced()
            except DefinitionError as error:
                self._refuse(error.problems)
                raise
            except Exception as error:
                self._refuse([f"not taken: {type(error).__name__}: {error}"])
                raise

    async def _replaced(self) -> tuple[str, ...]:
        fresh = await asyncio.to_thread(self._read)
        changed = _changed(self.definitions, fresh)
        if changed:
            for prepare in self._prepare:
                await prepare(fresh)
            self._adopt(fresh)
            self.definitions = fresh
            log.info("agents.reloaded", changed=changed)
        self.loaded_at, self.refusal = clock.now(), None
        return changed

    def _refuse(self, problems: Sequence[str]) -> None:
        self.refusal = Refusal(at=clock.now(), problems=tuple(problems))
        for problem in problems:
            log.error("agents.refused", problem=problem)


def _changed(old: Definitions, new: Definitions) -> tuple[str, ...]:
    before, after = ({agent.id: agent.digest for agent in each} for each in (old, new))
    return tuple(sorted(agent_id for agent_id in before | after if before.get(agent_id) != after.get(agent_id)))
