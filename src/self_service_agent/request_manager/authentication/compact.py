"""Reads a signed token (a JWS in compact form, RFC 7515) strictly, and believes nothing of it."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from joserfc.util import urlsafe_b64decode

from .rules import Unauthenticated

LONGEST_TOKEN = 16_384

_PARTS = 3
# Other kinds of JWT (logout, DPoP, security events) are signed with the same keys and identify nobody: RFC 8725 §3.11.
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a token claims; nothing of it is true before its signature is checked."""

    algorithm: str
    kid: str | None
    issuer: str
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def read_token(text: str) -> Token:
    """Return what `text` claims, or raise `Unauthenticated` whatever it is."""
    if len(text) > LONGEST_TOKEN or not text.isascii():
        raise _no_token()
    signed, _, signature = text.encode().rpartition(b".")
    parts = signed.split(b".")
    if len(parts) != _PARTS - 1:
        raise _no_token()
    header, claims = map(_members, parts)
    _check_header(header)
    return Token(
        algorithm=_text(header, "alg"),
        kid=_text(header, "kid") if "kid" in header else None,
        issuer=_text(claims, "iss"),
        claims=claims,
        signed=signed,
        signature=_decoded(signature),
    )


def _check_header(header: dict[str, Any]) -> None:
    """Refuse what changes a token's meaning. Keys that it brings (`jwk`, `jku`, `x5c`, `x5u`) are not looked at."""
    if "crit" in header or header.get("b64", True) is not True:
        raise Unauthenticated("the token needs an extension that is not known here")
    if "typ" in header and _text(header, "typ").lower() not in _TYPES:
        raise Unauthenticated("the token is not of the type JWT")


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise _no_token()
    return value


def _members(part: bytes) -> dict[str, Any]:
    try:
        members = _DECODER.decode(_decoded(part).decode())
    except (ValueError, RecursionError):
        raise _no_token() from None
    if not isinstance(members, dict):
        raise _no_token()
    return members


def _decoded(part: bytes) -> bytes:
    try:
        return urlsafe_b64decode(part)
    except ValueError:
        raise _no_token() from None


def _no_token() -> Unauthenticated:
    return Unauthenticated("this is not a signed token")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member appears twice")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
