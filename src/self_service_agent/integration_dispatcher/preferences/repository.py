"""Queries about people and their overrides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from self_service_agent.channels.base import Person
from self_service_agent.kit.database import Executor, Pool, PooledConnection
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.users import find_user

from .defaults import Configs
from .rules import Override, Recipient, stranger

_FIELDS: Sequence[str] = ("enabled", "priority", "retry_count", "retry_delay_seconds")
_ADD_PERSON = "INSERT INTO users (user_id, login, primary_email) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_RECIPIENTS = """
    SELECT a.asked, u.user_id, u.login, u.primary_email, c.integration_type, c.enabled, c.priority, c.retry_count,
        c.retry_delay_seconds, c.config
    FROM unnest($1::text[]) AS a (asked)
        CROSS JOIN LATERAL (
            SELECT coalesce((SELECT user_id FROM user_aliases WHERE alias = a.asked AND kind = 'id'), a.asked)
                AS user_id
        ) known
        CROSS JOIN LATERAL (SELECT * FROM users WHERE user_id = known.user_id LIMIT 1) u
        LEFT JOIN LATERAL (SELECT * FROM user_integration_configs WHERE user_id = u.user_id OFFSET 0) c ON true
"""
_OVERRIDES = "SELECT * FROM user_integration_configs WHERE user_id = $1 ORDER BY id"
_LOCKED_OVERRIDE = "SELECT * FROM user_integration_configs WHERE user_id = $1 AND integration_type = $2 FOR UPDATE"
_STORE = """
    INSERT INTO user_integration_configs AS stored
        (user_id, integration_type, enabled, priority, retry_count, retry_delay_seconds, config)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb)
    ON CONFLICT (user_id, integration_type) DO UPDATE SET enabled = excluded.enabled, priority = excluded.priority,
        retry_count = excluded.retry_count, retry_delay_seconds = excluded.retry_delay_seconds,
        config = excluded.config, updated_at = now()
    RETURNING stored.*
"""
_STORE_DEFAULTS = """
    INSERT INTO integration_default_configs AS stored
        (integration_type, enabled, priority, retry_count, retry_delay_seconds, config)
    SELECT * FROM unnest($1::text[], $2::boolean[], $3::integer[], $4::integer[], $5::integer[], $6::jsonb[])
    ON CONFLICT (integration_type) DO UPDATE SET enabled = excluded.enabled, priority = excluded.priority,
        retry_count = excluded.retry_count, retry_delay_seconds = excluded.retry_delay_seconds,
        config = excluded.config, updated_at = now()
"""
_DELETE = "DELETE FROM user_integration_configs WHERE user_id = $1 AND integration_type = $2 RETURNING id"
_DELETE_ALL = "DELETE FROM user_integration_configs WHERE user_id = $1 RETURNING id"


@dataclass(frozen=True, kw_only=True)
class StoredOverride:
    """An override as it is in the table."""

    id: int
    integration_type: IntegrationType
    override: Override
    created_at: datetime
    updated_at: datetime


async def publish_defaults(pool: Pool, defaults: Configs) -> None:
    """Show the defaults in force in their table, for whoever reads the database; nothing here reads them back."""
    configs = list(defaults.values())
    await pool.execute(
        _STORE_DEFAULTS,
        [kind.value for kind in defaults],
        *([getattr(config, name) for config in configs] for name in _FIELDS),
        [orjson.dumps(config.config).decode() for config in configs],
    )


async def person_named(connection: Executor, name: str) -> Person:
    """Return whom `name` (uuid, login or e-mail) means; somebody who is not stored is returned as a stranger."""
    user = await find_user(connection, name)
    return stranger(name) if user is None else Person(user_id=user.user_id, login=user.login, email=user.email)


async def added_person(connection: PooledConnection, name: str) -> Person:
    """Return whom `name` means, stored from now on."""
    person = await person_named(connection, name)
    await connection.execute(_ADD_PERSON, person.user_id, person.login, person.email)
    return await person_named(connection, name)


async def recipients(connection: Executor, user_ids: Iterable[str]) -> Mapping[str, Recipient]:
    """Return who these people are and what they override; somebody who is not stored has an id and no more.

    An id that was another's before two people were found to be one means the one who is left.
    """
    persons = {each: Person(user_id=each, login=None, email=None) for each in user_ids}
    overrides: dict[str, dict[IntegrationType, Override]] = {each: {} for each in persons}
    for row in await connection.fetch(_RECIPIENTS, list(persons)):
        asked = row["asked"]
        persons[asked] = Person(user_id=row["user_id"], login=row["login"], email=row["primary_email"])
        if row["integration_type"] is not None:
            overrides[asked][IntegrationType(row["integration_type"])] = read_override(row)
    return {each: Recipient(person=person, overrides=overrides[each]) for each, person in persons.items()}


async def overrides_of(connection: Executor, user_id: str) -> tuple[StoredOverride, ...]:
    return tuple(map(_stored, await connection.fetch(_OVERRIDES, user_id)))


async def locked_override(
    connection: PooledConnection, user_id: str, integration_type: IntegrationType
) -> StoredOverride | None:
    """Return the override, which nobody else changes until this transaction ends."""
    row = await connection.fetchrow(_LOCKED_OVERRIDE, user_id, integration_type)
    return None if row is None else _stored(row)


async def store(
    connection: PooledConnection, user_id: str, integration_type: IntegrationType, *, override: Override
) -> StoredOverride:
    """Add or replace an override."""
    row = await connection.fetchrow(
        _STORE, user_id, integration_type, override.enabled, override.priority, override.retry_count,
        override.retry_delay_seconds, orjson.dumps(override.config).decode(),
    )  # fmt: skip
    if row is None:
        raise RuntimeError("an upsert returned no row")
    return _stored(row)


async def delete(connection: Pool, user_id: str, integration_type: IntegrationType) -> bool:
    """Delete an override; tells whether there was one."""
    return await connection.fetchval(_DELETE, user_id, integration_type) is not None


async def delete_all(connection: Pool, user_id: str) -> int:
    """Delete every override of a person; tells how many there were."""
    return len(await connection.fetch(_DELETE_ALL, user_id))


def read_override(row: asyncpg.Record) -> Override:
    """Read the columns of `user_integration_configs` that say what a person wants."""
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    return Override(**values, config=orjson.loads(row["config"]))


def _stored(row: asyncpg.Record) -> StoredOverride:
    return StoredOverride(
        id=row["id"],
        integration_type=IntegrationType(row["integration_type"]),
        override=read_override(row),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
