"""The desk where keys are made, listed, rotated and revoked; every act is in the audit log."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool, PooledConnection, finish
from self_service_agent.kit.ids import new_id
from self_service_agent.shared_models.audit.entries import AuditEntry, Outcome
from self_service_agent.shared_models.audit.log import AuditLog, record_within
from self_service_agent.shared_models.users import Role, UnusableName, find_or_add_named

from . import repository, rules
from .errors import MOST_KEYS, KeyForbidden, KeyNotFound, TooManyKeys, UnusableKeyWish
from .rules import ApiKey, KeyCaller, KeyOwner, Origin, Scope
from .service import ApiKeys
from .text import RANDOM_BYTES, KeyKind, digest, format_key, hint_of


@dataclass(frozen=True, kw_only=True)
class KeyWish:
    """A key that somebody wants: for themselves, or for the person (uuid, login or e-mail) or tool that is named."""

    name: str
    user: str | None = None
    tool_id: str | None = None
    roles: frozenset[Role] | None = None
    scopes: frozenset[Scope] = frozenset()
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key that was just made; its text is shown now and never again."""

    text: str
    key: ApiKey


@dataclass(frozen=True, kw_only=True)
class Place:
    """How far a list was read: past so many keys of the environment, and then down to this stored one."""

    environment: int = 0
    before: str | None = None


@dataclass(frozen=True, kw_only=True)
class Listing:
    keys: list[ApiKey]
    next: Place | None


class KeyDesk:
    """Serves each caller as far as they may go: an administrator all keys, everybody else their own."""

    def __init__(self, pool: Pool, keys: ApiKeys, audit: AuditLog, *, now: Callable[[], datetime] = clock.now) -> None:
        self._pool = pool
        self._keys = keys
        self._audit = audit
        self._now = now

    async def create(self, wish: KeyWish, caller: KeyCaller) -> NewKey:
        """Make a key, or raise `KeyForbidden`, `TooManyKeys` or `UnusableKeyWish`."""
        rules.check_wish(user=wish.user, tool_id=wish.tool_id, expires_at=wish.expires_at, now=self._now())
        roles = rules.roles_of_key(wish.roles, tool_id=wish.tool_id)
        with self._refusals("key.create", wish.tool_id or wish.user or caller.user_id, caller):
            rules.check_may_manage(caller)
            rules.check_for_whom(caller, user=wish.user, tool_id=wish.tool_id)
            rules.check_grant(caller, roles=roles, scopes=wish.scopes)
        user_id = await self._user_id(wish, caller)
        owner = KeyOwner(key_id=new_id(), user_id=user_id, tool_id=wish.tool_id, roles=roles, scopes=wish.scopes)
        return await finish(self._create(wish, caller, owner=owner))

    async def listing(self, place: Place, caller: KeyCaller, *, limit: int) -> Listing:
        """Return keys that the caller may see: those of the environment, then the stored ones, newest first."""
        rules.check_may_manage(caller)
        known = [key for key in self._keys.environment if caller.is_admin or caller.owns(key.owner)]
        shown = known[place.environment : place.environment + limit]
        room = limit - len(shown)
        stored = await repository.newest(
            self._pool, user_id=None if caller.is_admin else caller.user_id, before=place.before, limit=room + 1
        )
        seen = place.environment + len(shown)
        before = stored[:room][-1].key_id if stored[:room] else place.before
        has_more = seen < len(known) or len(stored) > room
        return Listing(keys=[*shown, *stored[:room]], next=Place(environment=seen, before=before) if has_more else None)

    async def find(self, key_id: str, caller: KeyCaller) -> ApiKey:
        """Return a key that the caller may see, or raise `KeyNotFound`."""
        rules.check_may_manage(caller)
        return _seen_by(caller, self._in_environment(key_id) or await repository.one(self._pool, key_id))

    async def rotate(self, key_id: str, overlap: timedelta, caller: KeyCaller) -> NewKey:
        """Make a key that takes the place of another one, which goes on working for `overlap`.

        May raise `KeyNotFound`, `KeyForbidden`, `TooManyKeys` or `KeyNotChangeable`.
        """
        with self._refusals("key.rotate", key_id, caller):
            rules.check_may_manage(caller)
            return await finish(self._rotate(key_id, overlap, caller))

    async def revoke(self, key_id: str, caller: KeyCaller) -> ApiKey:
        """Make a key useless at once and for ever. May raise `KeyNotFound`, `KeyForbidden` or `KeyNotChangeable`."""
        with self._refusals("key.revoke", key_id, caller):
            rules.check_may_manage(caller)
            return await finish(self._revoke(key_id, caller))

    async def _create(self, wish: KeyWish, caller: KeyCaller, *, owner: KeyOwner) -> NewKey:
        text, now = _new_text(owner), self._now()
        key = _key(text, owner, name=wish.name, caller=caller, now=now, expires_at=wish.expires_at)
        async with self._pool.acquire() as connection, connection.transaction():
            await _check_room(connection, owner, most=MOST_KEYS - 1, now=now)
            made = await _stored(connection, key, text)
            await record_within(connection, _entry("key.create", key.key_id, caller, details=_told(made)))
        self._keys.changed(digest(text))
        return NewKey(text=text, key=made)

    async def _rotate(self, key_id: str, overlap: timedelta, caller: KeyCaller) -> NewKey:
        now = self._now()
        async with self._pool.acquire() as connection, connection.transaction():
            old = await self._locked(connection, key_id, caller)
            rules.check_rotatable(old, now)
            rules.check_grant(caller, roles=old.owner.roles, scopes=old.owner.scopes)
            owner = replace(old.owner, key_id=new_id())
            await _check_room(connection, owner, most=MOST_KEYS, now=now)  # one of them ends with this
            text, ends = _new_text(owner), rules.end_of_overlap(old, overlap, now)
            expires_at = rules.renewed_expiry(old, now)
            key = _key(text, owner, name=old.name, caller=caller, now=now, expires_at=expires_at)
            made = await _stored(connection, key, text)
            old_digest = await repository.replace(connection, key_id, by=key.key_id, expires_at=ends)
            details = {"replaced_by": key.key_id, "works_until": ends.isoformat()}
            await record_within(connection, _entry("key.rotate", key_id, caller, details=details))
        self._keys.changed(old_digest)
        self._keys.changed(digest(text))
        return NewKey(text=text, key=made)

    async def _revoke(self, key_id: str, caller: KeyCaller) -> ApiKey:
        async with self._pool.acquire() as connection, connection.transaction():
            key = await self._locked(connection, key_id, caller)
            rules.check_changeable(key)
            if key.revoked_at is not None:
                return key
            rules.check_grant(caller, roles=key.owner.roles, scopes=key.owner.scopes)
            now = self._now()
            its_digest = await repository.revoke(connection, key_id, at=now)
            await record_within(connection, _entry("key.revoke", key_id, caller, details=_told(key)))
        self._keys.changed(its_digest)
        return replace(key, revoked_at=now)

    async def _locked(self, connection: PooledConnection, key_id: str, caller: KeyCaller) -> ApiKey:
        return _seen_by(caller, self._in_environment(key_id) or await repository.locked(connection, key_id))

    def _in_environment(self, key_id: str) -> ApiKey | None:
        return next((key for key in self._keys.environment if key.key_id == key_id), None)

    async def _user_id(self, wish: KeyWish, caller: KeyCaller) -> str | None:
        """Return whose key it will be; somebody never seen is known from now on."""
        if wish.tool_id is not None:
            return None
        if wish.user is None or caller.is_named(wish.user):
            return caller.user_id
        try:
            return (await find_or_add_named(self._pool, wish.user)).user_id
        except UnusableName as error:
            raise UnusableKeyWish(str(error)) from error

    @contextmanager
    def _refusals(self, action: str, target: str, caller: KeyCaller) -> Iterator[None]:
        """Put into the audit log what the caller may not do."""
        try:
            yield
        except (KeyForbidden, KeyNotFound) as error:
            self._audit.record(_entry(action, target, caller, outcome=Outcome.REFUSED, reason=str(error)))
            raise


def _seen_by(caller: KeyCaller, key: ApiKey | None) -> ApiKey:
    if key is None or not (caller.is_admin or caller.owns(key.owner)):
        raise KeyNotFound  # nobody else learns which ids exist
    return key


async def _check_room(connection: PooledConnection, owner: KeyOwner, *, most: int, now: datetime) -> None:
    if owner.user_id is not None and await repository.working(connection, owner.user_id, now=now) > most:
        raise TooManyKeys


def _new_text(owner: KeyOwner) -> str:
    kind = KeyKind.PERSON if owner.tool_id is None else KeyKind.TOOL
    return format_key(kind, secrets.token_bytes(RANDOM_BYTES))


def _key(
    text: str, owner: KeyOwner, *, name: str, caller: KeyCaller, now: datetime, expires_at: datetime | None
) -> ApiKey:
    return ApiKey(
        owner=owner,
        origin=Origin.STORED,
        hint=hint_of(text),
        name=name,
        created_by=caller.user_id,
        created_at=now,
        expires_at=expires_at,
    )


async def _stored(connection: PooledConnection, key: ApiKey, text: str) -> ApiKey:
    """Store a key, and return it with the names of the person it belongs to."""
    await repository.add(connection, key, digest=digest(text))
    stored = await repository.one(connection, key.key_id)
    if stored is None:
        raise RuntimeError("a key that was just stored is not there")
    return stored


def _entry(action: str, target: str, caller: KeyCaller, **more: Any) -> AuditEntry:
    return AuditEntry(
        actor=caller.user_id,
        actor_kind=caller.kind,
        action=action,
        target=target,
        address=caller.address,
        correlation_id=caller.correlation_id,
        **more,
    )


def _told(key: ApiKey) -> dict[str, Any]:
    """Return what the audit log says about a key."""
    return {
        "name": key.name,
        "hint": key.hint,
        "user_id": key.owner.user_id,
        "tool_id": key.owner.tool_id,
        "roles": sorted(key.owner.roles),
        "scopes": sorted(key.owner.scopes),
        "expires_at": key.expires_at and key.expires_at.isoformat(),
    }
