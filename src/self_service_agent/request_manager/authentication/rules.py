"""Who a caller is, judged by the credential it brings and by nothing else."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

_SLACK_WINDOW_SECONDS = 300
_TIMESTAMP_DIGITS = 12


class Role(StrEnum):
    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller: a person, known by login or e-mail, or a tool acting for persons."""

    login: str | None = None
    email: str | None = None
    tool_id: str | None = None
    roles: frozenset[Role] = frozenset({Role.USER})

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles


class Unauthenticated(Exception):
    """No credential, or one that is not ours; `challenge` names the one that is wanted."""

    def __init__(self, message: str, *, challenge: str = "Bearer") -> None:
        super().__init__(message)
        self.challenge = challenge


class Forbidden(Exception):
    """The caller is known and may not do this."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by their digest; the keys themselves are not kept."""

    principals: Mapping[str, Principal]

    def principal_of(self, key: str) -> Principal | None:
        """Return whose key this is. Looking up a digest tells an attacker nothing about how near a guess was."""
        return self.principals.get(digest(key))


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def people_keys(*, web_api_keys: Mapping[str, str], development_logins: Iterable[tuple[str, str]]) -> KeyRing:
    """Build the ring of `WEB_API_KEYS` (key to e-mail) and, in development, of keys that are the login itself."""
    ring = {digest(login): _developer(login, email) for login, email in development_logins}
    ring |= {digest(key): Principal(login=None, email=email.casefold()) for key, email in web_api_keys.items()}
    return KeyRing(ring)


def tool_keys(keys: Mapping[str, SecretStr], *, development: Iterable[tuple[str, str]] = ()) -> KeyRing:
    """Build the ring of tool keys; `development` are (key, tool) pairs."""
    ring = {digest(key): _tool(tool) for key, tool in development}
    return KeyRing(ring | {digest(key.get_secret_value()): _tool(tool) for tool, key in keys.items()})


def bearer_of(authorization: str | None) -> str:
    """Return the token of a Bearer header, or raise `Unauthenticated`."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("send the header Authorization: Bearer <token or API key>")
    return token.strip()


def verify_slack_signature(
    secret: SecretStr, *, timestamp: str | None, signature: str | None, body: bytes, now: float
) -> None:
    """Check a Slack signature (v0, https://api.slack.com/authentication/verifying-requests-from-slack)."""
    if not timestamp or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > _TIMESTAMP_DIGITS:
        raise _not_from_slack("x-slack-request-timestamp is missing or not a number of seconds")
    if abs(now - int(timestamp)) > _SLACK_WINDOW_SECONDS:
        raise _not_from_slack("x-slack-request-timestamp is more than five minutes off")
    signed = f"v0:{timestamp}:".encode() + body
    expected = "v0=" + hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), (signature or "").encode()):
        raise _not_from_slack("x-slack-signature does not match")


def _not_from_slack(message: str) -> Unauthenticated:
    return Unauthenticated(message, challenge="Slack-Signature")


def _developer(login: str, email: str) -> Principal:
    roles = {Role.USER, Role.ADMIN} if login == "web-admin" else {Role.USER}
    return Principal(login=login, email=email, roles=frozenset(roles))


def _tool(tool_id: str) -> Principal:
    return Principal(tool_id=tool_id, roles=frozenset({Role.SERVICE}))
