"""What a key allows, and which keys a caller may hand out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from self_service_agent.shared_models.audit.entries import ActorKind
from self_service_agent.shared_models.users import Caller, Role

from .errors import KeyForbidden, KeyNotChangeable, UnusableKeyWish


class Scope(StrEnum):
    """A part of the product that a key is limited to."""

    REQUESTS_WRITE = "requests:write"
    REQUESTS_READ = "requests:read"
    SESSIONS = "sessions"
    INTEGRATIONS = "integrations"
    KEYS = "keys"
    ADMIN = "admin"


class Origin(StrEnum):
    """Where a key is kept."""

    STORED = "stored"
    ENVIRONMENT = "environment"
    DEVELOPMENT = "development"


class KeyState(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


_POWERS = frozenset({Role.OPERATOR, Role.ADMIN})
_OF_PERSONS = frozenset({Role.USER, *_POWERS})
_OF_TOOLS = frozenset({Role.SERVICE})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOwner:
    """Whose key it is, and what it allows: a person's, who has a login or e-mail, or a tool's. No scopes: no limit."""

    key_id: str
    user_id: str | None = None
    login: str | None = None
    email: str | None = None
    tool_id: str | None = None
    roles: frozenset[Role]
    scopes: frozenset[Scope] = frozenset()

    def may(self, scope: Scope) -> bool:
        """Tell whether the key reaches this part of the product."""
        return not self.scopes or scope in self.scopes

    @property
    def effective_roles(self) -> frozenset[Role]:
        """The roles with which the key acts: power over others only if it is not limited to other things."""
        return self.roles if self.may(Scope.ADMIN) else self.roles - _POWERS


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is shown: everything but the key itself."""

    owner: KeyOwner
    origin: Origin
    hint: str
    name: str
    created_by: str | None
    created_at: datetime | None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    replaced_by: str | None = None

    @property
    def key_id(self) -> str:
        return self.owner.key_id

    def state(self, now: datetime) -> KeyState:
        if self.revoked_at is not None:
            return KeyState.REVOKED
        is_expired = self.expires_at is not None and self.expires_at <= now
        return KeyState.EXPIRED if is_expired else KeyState.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCaller(Caller):
    """Who asks for something about keys: the roles and scopes are those with which the credential in use acts."""

    roles: frozenset[Role]
    login: str | None = None
    email: str | None = None
    scopes: frozenset[Scope] = frozenset()
    kind: ActorKind = ActorKind.PERSON
    correlation_id: str | None = None

    def is_named(self, name: str) -> bool:
        """Tell whether `name` (uuid, login or e-mail, in any case) means this caller."""
        folded = name.strip().casefold()
        return folded in {form.casefold() for form in (self.user_id, self.login, self.email) if form}

    def owns(self, owner: KeyOwner) -> bool:
        if owner.user_id is not None:
            return owner.user_id == self.user_id
        return any(form is not None and self.is_named(form) for form in (owner.login, owner.email))


def check_may_manage(caller: KeyCaller) -> None:
    """Raise `KeyForbidden` for a credential that is limited to other things."""
    if caller.scopes and Scope.KEYS not in caller.scopes:
        raise KeyForbidden(f"this key is limited to {_listed(caller.scopes)} and may not manage keys")


def check_grant(caller: KeyCaller, *, roles: frozenset[Role], scopes: frozenset[Scope]) -> None:
    """Raise `KeyForbidden` unless the caller may hand out a key with these roles and scopes.

    Nobody hands out more than they have: not a person by roles, and not even an administrator by the scopes of the
    key in use, or whoever finds a limited key would have an unlimited one.
    """
    if not caller.is_admin and not roles <= caller.roles:
        raise KeyForbidden(f"you do not have the roles {_listed(roles - caller.roles)} yourself")
    if caller.scopes and not (scopes and scopes <= caller.scopes):
        raise KeyForbidden(f"the key in use is limited to {_listed(caller.scopes)}, and so are the keys it makes")


def check_for_whom(caller: KeyCaller, *, user: str | None, tool_id: str | None) -> None:
    """Raise `KeyForbidden` unless the caller may make keys for this person (None: themselves) or tool."""
    if caller.is_admin:
        return
    if tool_id is not None:
        raise KeyForbidden("only an administrator makes keys for tools")
    if user is not None and not caller.is_named(user):
        raise KeyForbidden("only an administrator makes keys for somebody else")


def roles_of_key(wanted: frozenset[Role] | None, *, tool_id: str | None) -> frozenset[Role]:
    """Return the roles that a new key gets, or raise `UnusableKeyWish`."""
    possible = _OF_PERSONS if tool_id is None else _OF_TOOLS
    roles = wanted or (frozenset({Role.USER}) if tool_id is None else _OF_TOOLS)
    if not roles <= possible:
        raise UnusableKeyWish(f"such a key cannot have the roles {_listed(roles - possible)}")
    return roles


def check_wish(*, user: str | None, tool_id: str | None, expires_at: datetime | None, now: datetime) -> None:
    """Raise `UnusableKeyWish` for a key of two owners, or one that would be over before it began."""
    if user is not None and tool_id is not None:
        raise UnusableKeyWish("a key belongs to a person or to a tool, not to both")
    if expires_at is not None and expires_at <= now:
        raise UnusableKeyWish("expires_at is in the past")


def check_changeable(key: ApiKey) -> None:
    """Raise `KeyNotChangeable` for a key that is not kept in the database."""
    if key.origin is not Origin.STORED:
        raise KeyNotChangeable(f"this key is set by {key.name} in the environment of the service; change it there")


def check_rotatable(key: ApiKey, now: datetime) -> None:
    """Raise `KeyNotChangeable` for a key that nothing can take the place of any more."""
    check_changeable(key)
    if key.replaced_by is not None:
        raise KeyNotChangeable(f"this key was rotated before; the key {key.replaced_by} has taken its place")
    if (state := key.state(now)) is not KeyState.ACTIVE:
        raise KeyNotChangeable(f"this key is {state}; make a new one")


def end_of_overlap(key: ApiKey, overlap: timedelta, now: datetime) -> datetime:
    """Return until when a rotated key goes on working; never longer than without the rotation."""
    return min(now + overlap, key.expires_at or datetime.max.replace(tzinfo=now.tzinfo))


def renewed_expiry(key: ApiKey, now: datetime) -> datetime | None:
    """Return when the key that takes the place of another one ends: it lives as long as that was to live."""
    if key.expires_at is None or key.created_at is None:
        return None
    return now + (key.expires_at - key.created_at)


def _listed(names: Iterable[StrEnum]) -> str:
    return ", ".join(sorted(names))
