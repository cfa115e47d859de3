"""The statements about API keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg

from self_service_agent.kit.database import Executor
from self_service_agent.shared_models.users import Role

from .rules import ApiKey, KeyOwner, Origin, Scope

_SELECT = """
    SELECT k.*, u.login, u.primary_email FROM api_keys k LEFT JOIN LATERAL (
        SELECT login, primary_email FROM users WHERE user_id = k.user_id OFFSET 0
    ) u ON true
"""
_VALID = f"""
    {_SELECT} WHERE k.digest = ANY($1) AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)
"""
_ONE = f"{_SELECT} WHERE k.key_id = $1"
_LOCKED = f"{_SELECT} WHERE k.key_id = $1 FOR UPDATE OF k"
_NEWEST = f"{_SELECT} WHERE k.key_id < $1 ORDER BY k.key_id DESC LIMIT $2"
_NEWEST_OF_USER = f"{_SELECT} WHERE k.user_id = $3 AND k.key_id < $1 ORDER BY k.key_id DESC LIMIT $2"
_ADD = """
    INSERT INTO api_keys
        (key_id, digest, hint, name, user_id, tool_id, roles, scopes, created_by, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_REPLACE = "UPDATE api_keys SET replaced_by = $2, expires_at = $3 WHERE key_id = $1 RETURNING digest"
_REVOKE = "UPDATE api_keys SET revoked_at = $2 WHERE key_id = $1 RETURNING digest"
_NOTE_USE = """
    UPDATE api_keys k SET last_used_at = used.at
    FROM unnest($1::text[], $2::timestamptz[]) AS used (key_id, at)
    WHERE k.key_id = ANY($1) AND k.key_id = used.key_id
        AND (k.last_used_at IS NULL OR k.last_used_at <= used.at - $3::interval)
"""
_LOCK_PERSON = "SELECT FROM users WHERE user_id = $1 FOR NO KEY UPDATE"
_WORKING = """
    SELECT count(*) FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
"""
_AFTER_ALL = "ffffffff-ffff-ffff-ffff-ffffffffffff"


async def valid(executor: Executor, digests: Sequence[str], *, now: datetime) -> Mapping[str, ApiKey]:
    """Return, by digest, the keys among these that may be used."""
    return {row["digest"]: _key(row) for row in await executor.fetch(_VALID, digests, now)}


async def one(executor: Executor, key_id: str) -> ApiKey | None:
    row = await executor.fetchrow(_ONE, key_id)
    return None if row is None else _key(row)


async def locked(connection: Executor, key_id: str) -> ApiKey | None:
    """Return a key, which nobody else changes until this transaction ends."""
    row = await connection.fetchrow(_LOCKED, key_id)
    return None if row is None else _key(row)


async def newest(executor: Executor, *, user_id: str | None, before: str | None, limit: int) -> list[ApiKey]:
    """Return keys, newest first; of everybody if `user_id` is None."""
    arguments = (before or _AFTER_ALL, limit)
    if user_id is None:
        rows = await executor.fetch(_NEWEST, *arguments)
    else:
        rows = await executor.fetch(_NEWEST_OF_USER, *arguments, user_id)
    return [_key(row) for row in rows]


async def working(connection: Executor, user_id: str, *, now: datetime) -> int:
    """Return how many keys of a person work; there will be no others until this transaction ends."""
    await connection.execute(_LOCK_PERSON, user_id)
    return int(await connection.fetchval(_WORKING, user_id, now))


async def add(connection: Executor, key: ApiKey, *, digest: str) -> None:
    owner = key.owner
    await connection.execute(
        _ADD, owner.key_id, digest, key.hint, key.name, owner.user_id, owner.tool_id, sorted(owner.roles),
        sorted(owner.scopes), key.created_by, key.created_at, key.expires_at,
    )  # fmt: skip


async def replace(connection: Executor, key_id: str, *, by: str, expires_at: datetime) -> str:
    """Let another key take the place of this one and return its digest."""
    return str(await connection.fetchval(_REPLACE, key_id, by, expires_at))


async def revoke(connection: Executor, key_id: str, *, at: datetime) -> str:
    """Make a key useless and return its digest."""
    return str(await connection.fetchval(_REVOKE, key_id, at))


async def note_use(executor: Executor, uses: Mapping[str, datetime], *, apart: timedelta) -> None:
    """Store when keys were used last, unless that is known to the precision of `apart`."""
    await executor.execute(_NOTE_USE, list(uses), list(uses.values()), apart)


def _key(row: asyncpg.Record) -> ApiKey:
    owner = KeyOwner(
        key_id=row["key_id"],
        user_id=row["user_id"],
        login=row["login"],
        email=row["primary_email"],
        tool_id=row["tool_id"],
        roles=frozenset(map(Role, row["roles"])),
        scopes=frozenset(map(Scope, row["scopes"])),
    )
    return ApiKey(
        owner=owner,
        origin=Origin.STORED,
        hint=row["hint"],
        name=row["name"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
        replaced_by=row["replaced_by"],
    )
