"""Who a caller is when a gateway in front of us has authenticated it and says so in headers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from self_service_agent.kit.settings import Settings
from self_service_agent.shared_models.users import Role

from .claims import is_name, roles_of
from .rules import Principal, Unauthenticated

Network = IPv4Network | IPv6Network

_USERS = (b"x-user-id", b"x-forwarded-user", b"x-remote-user")
_EMAIL = b"x-user-email"
_GROUPS = b"x-user-groups"
_ALL = frozenset({*_USERS, _EMAIL, _GROUPS})


def _networks(value: object) -> object:
    return (
        tuple(_network(part.strip()) for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError("must be networks such as 10.1.0.0/16, separated by commas") from None
    if network.prefixlen == 0:
        raise ValueError("a network of everybody cannot be trusted")
    return network


class GatewaySettings(Settings):
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = ()
    gateway_roles: dict[str, Role] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_roles_of_people(self) -> Self:
        if Role.SERVICE in self.gateway_roles.values():
            raise ValueError("GATEWAY_ROLES: roles can be user, operator and admin")
        return self


@dataclass(frozen=True, kw_only=True)
class GatewayHeaders:
    """Reads identities from `trusted` peers only; `roles` are by group, and everybody is a user."""

    trusted: tuple[Network, ...] = ()
    roles: Mapping[str, Role] = field(default_factory=dict)

    def identity(self, headers: Iterable[tuple[bytes, bytes]], peer: str | None) -> Principal | None:
        """Return whom the gateway at the address `peer` names, or None without such headers.

        `headers` are those of the request as they came, repeated ones too. Raises `Unauthenticated` for headers from
        anybody else, and for headers that contradict each other.
        """
        named = [(name.lower(), value) for name, value in headers if name.lower() in _ALL]
        if not named:
            return None
        if not self.trusts(peer):
            raise Unauthenticated("headers that name a user are taken from our own gateway only")
        if len({name for name, _ in named}) < len(named):
            raise Unauthenticated("a header that names a user was sent twice")
        values = {name: text for name, value in named if (text := _text(value))}
        return self._principal(values) if values else None

    def names_somebody(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Tell whether there are headers of a gateway, whoever sent them."""
        return any(name.lower() in _ALL for name, _ in headers)

    def trusts(self, peer: str | None) -> bool:
        """Tell whether a peer is one of ours."""
        try:
            address = ip_address(peer or "")
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self.trusted)

    def _principal(self, values: Mapping[bytes, str]) -> Principal:
        names = [values[name] for name in _USERS if name in values]
        email = values.get(_EMAIL)
        emails = {name.casefold() for name in (*names, email) if name and "@" in name}
        logins = {name.casefold() for name in names if "@" not in name}
        if len(emails) > 1 or len(logins) > 1:
            raise Unauthenticated("the headers name different users")
        if not (emails or logins) or (email and "@" not in email) or not all(map(is_name, emails | logins)):
            raise Unauthenticated("the headers do not name a user")
        groups = tuple(group.strip() for group in values.get(_GROUPS, "").split(","))
        return Principal(
            login=next(iter(logins), None), email=next(iter(emails), None), roles=roles_of(groups, self.roles)
        )


def _text(value: bytes) -> str:
    try:
        text = value.decode().strip()
    except UnicodeDecodeError:
        text = "\0"
    if text and not text.isprintable():
        raise Unauthenticated("a header that names a user is not readable")
    return text
