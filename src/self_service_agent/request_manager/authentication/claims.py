"""Judges the claims of a token whose signature is right: for whom, from when to when, and who brings it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from self_service_agent.shared_models.users import Role

from .issuers import Issuer
from .rules import Principal, Unauthenticated

_YEAR_10000 = 253_402_300_800
_NAME_LIMIT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Who a token stands for, and when it starts and ends, in seconds since 1970."""

    principal: Principal
    starts: float
    ends: float


def judge(claims: Mapping[str, Any], issuer: Issuer, *, now: float, leeway: float) -> Verified:
    """Return what correctly signed claims say, or raise `Unauthenticated`."""
    starts, ends = _lifetime(claims)
    if now >= ends + leeway:
        raise Unauthenticated("the token has expired")
    if now < starts - leeway:
        raise Unauthenticated("the token is not valid yet")
    if not issuer.audience.intersection(_texts(claims.get("aud"))):
        raise Unauthenticated("the token is for somebody else")
    return Verified(principal=_principal(claims, issuer), starts=starts, ends=ends)


def roles_of(groups: tuple[str, ...], mapping: Mapping[str, Role]) -> frozenset[Role]:
    """Return the roles of somebody in these groups; everybody is a user, and only the mapping makes more of anybody."""
    return frozenset({Role.USER} | {mapping[group] for group in groups if group in mapping})


def is_name(name: str) -> bool:
    """Tell whether somebody can be known by this login or e-mail."""
    return 0 < len(name) <= _NAME_LIMIT and name.isprintable() and name == name.strip()


def _principal(claims: Mapping[str, Any], issuer: Issuer) -> Principal:
    user = _found(claims, issuer.user_claim)
    email = _email(claims, issuer)
    if not isinstance(user, str) or not is_name(user):
        raise Unauthenticated("the token does not say who brings it")
    if issuer.user_claim == issuer.email_claim and email is None:
        raise Unauthenticated("the e-mail of the token is not verified")
    groups = _texts(_found(claims, issuer.groups_claim) or [])
    roles = roles_of(groups, issuer.roles)
    if "@" in user:  # people are found by e-mail or by login, and a login is never an e-mail
        return Principal(email=user.casefold(), roles=roles)
    return Principal(login=user, email=email, roles=roles)


def _email(claims: Mapping[str, Any], issuer: Issuer) -> str | None:
    """Return the e-mail unless the issuer says that it has not verified it."""
    email = _found(claims, issuer.email_claim)
    if not email or claims.get("email_verified", True) not in (True, "true"):
        return None
    if not isinstance(email, str) or not is_name(email) or "@" not in email:
        raise Unauthenticated("the e-mail of the token is none")
    return email.casefold()


def _lifetime(claims: Mapping[str, Any]) -> tuple[float, float]:
    starts = max(_moment(claims, "nbf", default=0), _moment(claims, "iat", default=0))
    return starts, _moment(claims, "exp", default=None)


def _moment(claims: Mapping[str, Any], name: str, *, default: float | None) -> float:
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _YEAR_10000:
        raise Unauthenticated(f"{name} of the token is missing, or no moment")
    return float(value)


def _texts(value: object) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise Unauthenticated("a claim of the token is not a list of texts")
    return tuple(values)


def _found(claims: Mapping[str, Any], path: str) -> object:
    """Return the claim of this name, which may have dots in it, or else the one that it is the path to."""
    if path in claims:
        return claims[path]
    value: object = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
