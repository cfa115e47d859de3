"""Short-lived signed credentials that our own services show each other."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OctKey
from pydantic import SecretStr

SHORTEST_SECRET = 32  # RFC 7518 §3.2: a key for HS256 has at least 256 bits

_ALGORITHM = "HS256"
_ISSUER = "self-service-agent"
_LEEWAY = timedelta(seconds=5)
_LONGEST_TOKEN = 4096
_ONE_MINUTE = timedelta(seconds=60)


class InvalidServiceToken(Exception):
    """The credential is not one that may be used here and now; the message says why, without its content."""


@dataclass(frozen=True, kw_only=True)
class ServiceIdentity:
    """Which of our services calls, and for which person, if it acts for one."""

    service: str
    subject: str | None


class ServiceTokens:
    """Issues and verifies credentials; `previous` is still accepted while a secret is being rotated."""

    def __init__(self, secret: SecretStr, *, previous: SecretStr | None = None) -> None:
        self._keys = tuple(_key(each) for each in (secret, previous) if each is not None)

    def issue(
        self,
        *,
        service: str,
        audience: str,
        now: datetime,
        subject: str | None = None,
        lifetime: timedelta = _ONE_MINUTE,
    ) -> str:
        """Return a credential by which `service` may call `audience` until `now + lifetime`."""
        starts = int(now.timestamp())
        ends = int((now + lifetime).timestamp())
        claims = {"iss": _ISSUER, "client_id": service, "aud": audience, "iat": starts, "nbf": starts, "exp": ends}
        if subject is not None:
            claims["sub"] = subject
        return jwt.encode({"alg": _ALGORITHM}, claims, self._keys[0], [_ALGORITHM])

    def verify(self, token: str, *, audience: str, now: datetime) -> ServiceIdentity:
        """Return who shows `token`, or raise `InvalidServiceToken` whatever `token` is."""
        claims = self._signed_claims(token)
        registry = jwt.JWTClaimsRegistry(
            int(now.timestamp()),
            leeway=int(_LEEWAY.total_seconds()),
            iss={"essential": True, "value": _ISSUER},
            aud={"essential": True, "value": audience},
            client_id={"essential": True},
            nbf={"essential": True},
            exp={"essential": True},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise InvalidServiceToken(str(error)) from error
        return ServiceIdentity(service=str(claims["client_id"]), subject=claims.get("sub"))

    def _signed_claims(self, token: str) -> jwt.Claims:
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            raise InvalidServiceToken("not a token")
        for key in self._keys:
            try:
                return jwt.decode(token, key, [_ALGORITHM]).claims
            except BadSignatureError:
                continue
            # Beside its own errors, joserfc lets through what a header of a wrong JSON type or depth raises.
            except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
                raise InvalidServiceToken("not a token") from error
        raise InvalidServiceToken("the signature is not ours")


def _key(secret: SecretStr) -> OctKey:
    value = secret.get_secret_value()
    if len(value.encode()) < SHORTEST_SECRET:
        raise ValueError(f"a service token secret has at least {SHORTEST_SECRET} bytes")
    return OctKey.import_key(value)
