"""Definitions as they were: a conversation that began under one goes on under it, also after a new release."""

from collections.abc import Iterable

from self_service_agent.agent_service.definitions.loader import parse_definition
from self_service_agent.agent_service.definitions.models import AgentDefinition
from self_service_agent.kit.database import Pool

_REMEMBER = """
    INSERT INTO agent_definitions (digest, agent_id, version, body) VALUES ($1, $2, $3, $4)
    ON CONFLICT (digest) DO NOTHING
"""


# What others may ask for: the definitions in use, and no earlier ones of the same agents.
_PUBLISH = """
    WITH known AS (
        SELECT digest FROM agent_definitions WHERE digest = ANY($1) OR published_at IS NOT NULL
        ORDER BY digest FOR UPDATE
    )
    UPDATE agent_definitions d SET published_at = CASE WHEN d.digest = ANY($1) THEN coalesce(published_at, now()) END
    FROM known k WHERE d.digest = ANY(ARRAY(SELECT digest FROM known)) AND d.digest = k.digest
"""


class DefinitionStore:
    """Every definition that was ever in use here, by its digest."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: dict[str, AgentDefinition] = {}

    async def remember(self, definitions: Iterable[AgentDefinition]) -> None:
        """Keep what is in use now, and publish that instead of what was in use before."""
        digests = []
        for definition in definitions:
            await self._pool.execute(_REMEMBER, definition.digest, definition.id, definition.version, definition.body)
            self._known[definition.digest] = definition
            digests.append(definition.digest)
        await self._pool.execute(_PUBLISH, digests)

    async def find(self, digest: str) -> AgentDefinition | None:
        """Return the definition with this digest, if it was ever in use here."""
        if digest not in self._known:
            body = await self._pool.fetchval("SELECT body FROM agent_definitions WHERE digest = $1", digest)
            if body is None:
                return None
            self._known[digest] = parse_definition(body)
        return self._known[digest]
