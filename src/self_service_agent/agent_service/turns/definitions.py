"""Definitions as they were: a conversation that began under one goes on under it, also after a new release."""

from collections.abc import Iterable

from self_service_agent.agent_service.definitions.loader import parse_definition
from self_service_agent.agent_service.definitions.models import AgentDefinition
from self_service_agent.kit.database import Pool

_REMEMBER = """
    INSERT INTO agent_definitions (digest, agent_id, version, body) VALUES ($1, $2, $3, $4)
    ON CONFLICT (digest) DO NOTHING
"""


class DefinitionStore:
    """Every definition that was ever in use here, by its digest."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: dict[str, AgentDefinition] = {}

    async def remember(self, definitions: Iterable[AgentDefinition]) -> None:
        """Keep what is in use now."""
        for definition in definitions:
            await self._pool.execute(_REMEMBER, definition.digest, definition.id, definition.version, definition.body)
            self._known[definition.digest] = definition

    async def find(self, digest: str) -> AgentDefinition | None:
        """Return the definition with this digest, if it was ever in use here."""
        if digest not in self._known:
            body = await self._pool.fetchval("SELECT body FROM agent_definitions WHERE digest = $1", digest)
            if body is None:
                return None
            self._known[digest] = parse_definition(body)
        return self._known[digest]
