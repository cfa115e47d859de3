"""Whom Open WebUI speaks for: the person of its signed header, or of its plain ones where they can be trusted."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import SecretStr

from self_service_agent.request_manager.authentication.claims import is_name
from self_service_agent.request_manager.authentication.rules import Principal, Unauthenticated

SIGNED: Final = "x-openwebui-user-jwt"
EMAIL: Final = "x-openwebui-user-email"

_ALGORITHM = "HS256"
_ISSUER = "open-webui"
_LEEWAY = timedelta(seconds=30)
_LONGEST_TOKEN = 4096


def signed_person(headers: Mapping[str, str], *, secret: SecretStr | None, now: datetime) -> Principal | None:
    """Return the person of the signed header, or None without one; raises `Unauthenticated` for one that is wrong."""
    token = headers.get(SIGNED)
    if token is None:
        return None
    if secret is None:
        raise Unauthenticated("OPENWEBUI_JWT_SECRET is not configured, so nobody can be known by X-OpenWebUI-User-Jwt")
    return _person(_claims(token, secret, now=now).get("email"))


def named_person(headers: Mapping[str, str]) -> Principal | None:
    """Return the person of the plain headers, which only somebody who may name anybody may send."""
    email = headers.get(EMAIL)
    return None if email is None else _person(email)


def _claims(token: str, secret: SecretStr, *, now: datetime) -> jwt.Claims:
    if len(token) > _LONGEST_TOKEN or not token.isascii():
        raise Unauthenticated("X-OpenWebUI-User-Jwt is no token")
    registry = jwt.JWTClaimsRegistry(
        int(now.timestamp()),
        leeway=int(_LEEWAY.total_seconds()),
        iss={"essential": True, "value": _ISSUER},
        iat={"essential": True},
        exp={"essential": True},
    )
    try:
        claims = jwt.decode(token, OctKey.import_key(secret.get_secret_value()), [_ALGORITHM]).claims
        registry.validate(claims)
    # Beside its own errors, joserfc lets through what a header of a wrong JSON type or depth raises.
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unauthenticated("X-OpenWebUI-User-Jwt is not signed by Open WebUI, or not valid now") from error
    return claims


def _person(email: object) -> Principal:
    if not isinstance(email, str) or "@" not in email or not is_name(email):
        raise Unauthenticated("Open WebUI does not say by which e-mail the person is known")
    return Principal(email=email.casefold())
