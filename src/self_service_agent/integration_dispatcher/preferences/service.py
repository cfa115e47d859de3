"""What a person can do with their integration preferences."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from self_service_agent.channels.base import Manifest
from self_service_agent.integration_dispatcher.channels import MANIFESTS
from self_service_agent.kit.database import Pool, finish
from self_service_agent.shared_models.integrations import IntegrationType

from . import repository
from .defaults import Configs
from .repository import StoredOverride
from .rules import Override, unmasked


class OverrideNotFound(Exception):
    """The person has no override of this integration type."""

    def __init__(self) -> None:
        super().__init__("Integration configuration not found")


class NoSuchChannel(Exception):
    """There is no channel of that type here."""

    def __init__(self, integration_type: IntegrationType) -> None:
        super().__init__(f"{integration_type} is not a channel of this installation")


class Preferences:
    """The defaults, and for each person what they override."""

    def __init__(self, pool: Pool, defaults: Configs, manifests: Sequence[Manifest[Any]] = MANIFESTS) -> None:
        self._pool = pool
        self._defaults = defaults
        self._checks = {each.integration_type: each.check_config for each in manifests}

    @property
    def defaults(self) -> Configs:
        return self._defaults

    async def overrides_of(self, name: str) -> tuple[StoredOverride, ...]:
        person = await repository.person_named(self._pool, name)
        return await repository.overrides_of(self._pool, person.user_id)

    async def create(self, name: str, integration_type: IntegrationType, override: Override) -> StoredOverride:
        """Add or replace an override; somebody never seen is stored with it.

        May raise `NoSuchChannel` or `InvalidConfig`.
        """
        if integration_type not in self._defaults:
            raise NoSuchChannel(integration_type)
        return await finish(self._create(name, integration_type, override))

    async def update(self, name: str, integration_type: IntegrationType, changes: dict[str, Any]) -> StoredOverride:
        """Change the named fields of an override, or raise `OverrideNotFound` or `InvalidConfig`."""
        return await finish(self._update(name, integration_type, changes))

    async def delete(self, name: str, integration_type: IntegrationType) -> None:
        """Delete an override, or raise `OverrideNotFound`."""
        person = await repository.person_named(self._pool, name)
        if not await finish(repository.delete(self._pool, person.user_id, integration_type)):
            raise OverrideNotFound

    async def reset(self, name: str) -> int:
        """Delete every override of a person; tells how many there were."""
        person = await repository.person_named(self._pool, name)
        return await finish(repository.delete_all(self._pool, person.user_id))

    async def _create(self, name: str, integration_type: IntegrationType, override: Override) -> StoredOverride:
        async with self._pool.acquire() as connection, connection.transaction():
            person = await repository.added_person(connection, name)
            before = await repository.locked_override(connection, person.user_id, integration_type)
            if before is not None:
                override = replace(override, config=unmasked(override.config, before.override.config))
            self._check(integration_type, override.config)
            return await repository.store(connection, person.user_id, integration_type, override=override)

    async def _update(self, name: str, integration_type: IntegrationType, changes: dict[str, Any]) -> StoredOverride:
        async with self._pool.acquire() as connection, connection.transaction():
            person = await repository.person_named(connection, name)
            before = await repository.locked_override(connection, person.user_id, integration_type)
            if before is None:
                raise OverrideNotFound
            override = replace(before.override, **changes)
            override = replace(override, config=unmasked(override.config, before.override.config))
            if "config" in changes:  # what was stored before must not keep anybody from switching it off
                self._check(integration_type, override.config)
            return await repository.store(connection, person.user_id, integration_type, override=override)

    def _check(self, integration_type: IntegrationType, config: Mapping[str, Any]) -> None:
        if check := self._checks.get(integration_type):
            check({**self._defaults[integration_type].config, **config})
