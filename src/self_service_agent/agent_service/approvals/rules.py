"""Who may decide what: approvers as definitions name them, and the people they mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from self_service_agent.kit.ids import derived_id
from self_service_agent.shared_models.users import Role, User

Groups = Mapping[str, tuple[str, ...]]

FOLLOW_UP_TYPE: Final = "approval.decided"

_KINDS: Final = ("role", "group", "person")
_POWERS: Final = {Role.OPERATOR: (Role.OPERATOR,), Role.ADMIN: (Role.OPERATOR, Role.ADMIN)}


class ApprovalState(StrEnum):
    """Where an approval stands. All but the first are final."""

    PENDING = "pending"
    GRANTED = "granted"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Channel(StrEnum):
    """By which door a decision came."""

    API = "api"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy:
    """Who is in which group, and how long an approval waits unless its step says otherwise."""

    groups: Groups
    lifetime: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApproval:
    """An approval as a turn asks for it. `approvers` is a key, `names` are those who are told."""

    approval_id: str
    session_id: str
    request_id: str
    user_id: str
    requester: str
    agent_id: str
    flow: str
    flow_instance_id: str
    definition_digest: str
    action: str
    arguments_digest: str
    summary: str
    approvers: str
    names: tuple[str, ...]
    lifetime: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Somebody who wants to see or decide approvals, with the keys of what they may decide."""

    user: User
    keys: frozenset[str]
    is_staff: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody says to an approval."""

    state: ApprovalState
    comment: str | None
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a page of approvals ended: newest first."""

    created_at: datetime
    approval_id: str


def approver_key(named: str, groups: Groups) -> str:
    """Return who `named` means, as `role:…`, `group:…` or `person:…`.

    An address is a person, `operator` and `admin` are roles, everything else is a group. Of a group that nobody has
    set up, administrators decide.
    """
    kind, _, name = named.strip().casefold().partition(":")
    if kind not in _KINDS or not name:
        kind, name = _kind_of(named.strip().casefold()), named.strip().casefold()
    return "role:admin" if kind == "group" and name not in groups else f"{kind}:{name}"


def names_behind(key: str, groups: Groups) -> tuple[str, ...]:
    """Return the people to be told, as far as they are known by name."""
    kind, _, name = key.partition(":")
    return (name,) if kind == "person" else groups.get(name, ())


def decider(user: User, roles: Iterable[str], groups: Groups) -> Decider:
    """Return what somebody with these roles may decide."""
    powers = {power for role in roles for power in _POWERS.get(Role(role), ())}
    own = {form.casefold() for form in (user.user_id, user.login, user.email) if form} | user.aliases
    member_of = (group for group, members in groups.items() if any(user.is_named(each) for each in members))
    keys = {f"role:{power}" for power in powers}
    for group in member_of:
        keys.add(f"role:{group}" if group in _POWERS else f"group:{group}")
    return Decider(user=user, keys=frozenset(keys | {f"person:{each}" for each in own}), is_staff=bool(powers))


def may_decide(who: Decider, *, requester_id: str, approvers: str) -> bool:
    """Tell whether somebody is entitled: never the one who asks, whatever they are otherwise."""
    return approvers in who.keys and who.user.user_id != requester_id


def may_see(who: Decider, *, requester_id: str, approvers: str) -> bool:
    return who.is_staff or who.user.user_id == requester_id or approvers in who.keys


def follow_up_id(approval_id: str) -> str:
    """Return the id of the request that carries the decision into its conversation: there is one, however often."""
    return derived_id(approval_id, "decision")


def _kind_of(name: str) -> str:
    if "@" in name:
        return "person"
    return "role" if name in {Role.OPERATOR, Role.ADMIN} else "group"
