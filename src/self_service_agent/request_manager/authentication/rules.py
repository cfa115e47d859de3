"""Who a caller is, judged by the credential it brings and by nothing else."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from self_service_agent.request_manager.keys.rules import Scope
from self_service_agent.shared_models.users import Role

_SLACK_WINDOW_SECONDS = 300
_TIMESTAMP_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller: a person, known by id, login or e-mail, or a tool acting for persons.

    A credential without scopes is not limited to any part of the product.
    """

    user_id: str | None = None
    login: str | None = None
    email: str | None = None
    tool_id: str | None = None
    roles: frozenset[Role] = frozenset({Role.USER})
    scopes: frozenset[Scope] = frozenset()

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles


class Unauthenticated(Exception):
    """No credential, or one that is not ours; `challenge` names the one that is wanted."""

    def __init__(self, message: str, *, challenge: str = "Bearer") -> None:
        super().__init__(message)
        self.challenge = challenge


class KeysUnavailable(Exception):
    """The caller's token cannot be judged now: its issuer's keys cannot be had. The same token may be good later."""

    retry_after = 5.0


class Forbidden(Exception):
    """The caller is known and may not do this."""


_READING: Final = frozenset({"GET", "HEAD"})
# Which scope a limited key needs, by the beginning of the path; what is not listed needs `admin`.
_SCOPES: Final = (
    ("/api/v1/requests", Scope.REQUESTS_WRITE),
    ("/api/v1/conversations", Scope.REQUESTS_READ),
    ("/v1/chat", Scope.REQUESTS_WRITE),
    ("/v1/responses", Scope.REQUESTS_WRITE),
    ("/v1/models", Scope.REQUESTS_READ),
    ("/api/v1/sessions", Scope.SESSIONS),
    ("/api/v1/keys", Scope.KEYS),
    ("/api/v1/integration-defaults", Scope.INTEGRATIONS),
    ("/api/v1/deliveries", Scope.INTEGRATIONS),
)
_OF_USER: Final = re.compile(r"/api/v1/users/[^/]+/(integrations|integration-defaults|deliveries|explain)(/|$)")


def check_scope(scopes: frozenset[Scope], *, method: str, path: str) -> None:
    """Raise `Forbidden` unless a credential limited to `scopes` may be used there."""
    needed = _scope_of(method, path)
    if needed not in scopes:
        raise Forbidden(f"this key is limited to {', '.join(sorted(scopes))}; this needs {needed}")


def _scope_of(method: str, path: str) -> Scope:
    if _OF_USER.match(path):
        return Scope.INTEGRATIONS
    for beginning, scope in _SCOPES:
        if path == beginning or path.startswith(f"{beginning}/"):
            is_reading = scope is Scope.REQUESTS_WRITE and method in _READING
            return Scope.REQUESTS_READ if is_reading else scope
    return Scope.ADMIN


def check_same_site(method: str, headers: Mapping[str, str]) -> None:
    """Raise `Forbidden` for a change that a page of another site makes in the name of whom a gateway knows by a cookie.

    Browsers say where a request comes from (https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header), and no page
    can make them say something else. Programs say nothing, and carry no cookies that are not theirs.
    """
    if method not in _READING and headers.get("sec-fetch-site", "none") not in {"none", "same-origin", "same-site"}:
        raise Forbidden("a page of another site may change nothing here")


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
    if not hmac.compare_digest(expected.encode(), (signature or "").encode(errors="surrogatepass")):
        raise _not_from_slack("x-slack-signature does not match")


def _not_from_slack(message: str) -> Unauthenticated:
    return Unauthenticated(message, challenge="Slack-Signature")
