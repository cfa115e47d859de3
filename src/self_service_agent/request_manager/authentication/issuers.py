"""The issuers whose tokens open our doors, as `JWT_ISSUERS` describes them."""

from collections.abc import Mapping
from functools import cached_property
from ipaddress import ip_address
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from joserfc.jwk import Key, OctKey
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from self_service_agent.kit.settings import Settings
from self_service_agent.shared_models.users import Role

from .keys import ALGORITHMS, SHORTEST_SECRETS, UnusableKey, fits, read_key_set, read_public_key

Text = Annotated[str, Field(min_length=1, max_length=2048)]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Issuer(BaseModel):
    """One issuer: whom its tokens are for, how they are signed, and which claims say who brings them.

    Exactly one of `jwks_uri`, `jwks` and `public_key` says where the keys are. `roles` are by group.
    A claim of a claim is named with a dot, as in `realm_access.roles`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    issuer: Text
    audience: Annotated[frozenset[Text], BeforeValidator(_listed), Field(min_length=1)]
    algorithms: Annotated[tuple[str, ...], Field(min_length=1)]
    jwks_uri: Text | None = None
    jwks: Mapping[str, Any] | None = Field(default=None, repr=False)
    public_key: str | None = None
    user_claim: Text = "sub"
    email_claim: Text = "email"
    groups_claim: Text = "groups"
    roles: Mapping[str, Role] = {}

    @cached_property
    def keys(self) -> tuple[Key, ...] | None:
        """The configured keys, or None if they are to be fetched."""
        if self.jwks is not None:
            return read_key_set(self.jwks)
        return None if self.public_key is None else (read_public_key(self.public_key),)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        try:
            self._check_algorithms()
            self._check_source()
            self._check_keys()
        except UnusableKey as error:
            raise ValueError(f"issuer {self.issuer}: {error}") from None
        if Role.SERVICE in self.roles.values():
            raise ValueError(f"issuer {self.issuer}: roles can be user, operator and admin")
        return self

    def _check_algorithms(self) -> None:
        for name in self.algorithms:
            if name.lower() == "none":
                raise UnusableKey("the algorithm none would accept tokens that nobody signed")
            if name not in ALGORITHMS:
                raise UnusableKey(f"{name!r} is not an algorithm we know: {', '.join(ALGORITHMS)}")

    def _check_source(self) -> None:
        if sum(source is not None for source in (self.jwks_uri, self.jwks, self.public_key)) != 1:
            raise UnusableKey("give exactly one of jwks_uri, jwks and public_key")
        if self.jwks_uri is not None and not _is_safe_url(self.jwks_uri):
            raise UnusableKey("jwks_uri must be an https URL (http only on loopback)")
        secret = [name for name in self.algorithms if name in SHORTEST_SECRETS]
        if secret and (self.jwks is None or len(secret) < len(self.algorithms)):
            raise UnusableKey(f"{secret[0]} needs a secret in jwks, and no public keys beside it")

    def _check_keys(self) -> None:
        keys = self.keys
        if keys is None:
            return
        if any(key.is_private and not isinstance(key, OctKey) for key in keys):
            raise UnusableKey("a private key is configured; give the public one")
        for name in self.algorithms:
            if name in SHORTEST_SECRETS:
                _check_length([key for key in keys if isinstance(key, OctKey)], name)
            if not any(fits(key, name) for key in keys):
                raise UnusableKey(f"none of its keys is for {name}")


class JwtSettings(Settings):
    jwt_enabled: bool = False
    jwt_issuers: tuple[Issuer, ...] = ()
    jwt_leeway_seconds: int = Field(default=30, ge=0, le=300)

    @model_validator(mode="after")
    def _knows_issuers(self) -> Self:
        names = [issuer.issuer for issuer in self.jwt_issuers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"JWT_ISSUERS names the issuer {twice} twice")
        if self.jwt_enabled and not names:
            raise ValueError("JWT_ENABLED is true, but JWT_ISSUERS names no issuer")
        return self


class EventSinkSettings(Settings):
    """Issuers whose tokens a broker shows at the event sink, such as a cluster's, and the subjects it may be.

    Knative signs what it delivers for the sink's audience (https://knative.dev/docs/eventing/features/sender-identity).
    No subjects: whoever has a token for our audience.
    """

    event_sink_issuers: tuple[Issuer, ...] = ()
    event_sink_subjects: frozenset[str] = frozenset()


def _check_length(secrets: list[OctKey], algorithm: str) -> None:
    shortest = SHORTEST_SECRETS[algorithm]
    if any(len(secret.raw_value) < shortest for secret in secrets):
        raise UnusableKey(f"a secret for {algorithm} has at least {shortest} bytes")


def _is_safe_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or not url.isprintable() or " " in url or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
