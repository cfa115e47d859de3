"""Which addresses our outbound connections may reach: the public internet, and what the operator names."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

# Own tables instead of `is_global`: its verdict differs between Python versions, and it calls NAT64, 6to4,
# multicast and IPv4-compatible addresses global although they lead inward.
_BLOCKED_IPV4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT, and one cloud's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host agent: a public address that is always local
        "169.254.0.0/16",  # link-local, and most clouds' metadata service
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112 sink
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112 sink
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Only 2000::/3 is given out to the internet; everything beside it is local, reserved or a translation prefix.
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_BLOCKED_IPV6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
_LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


@dataclass(frozen=True)
class EgressPolicy:
    """What outbound connections may reach; a network that is allowed here overrides every block."""

    allow_loopback: bool = False
    allowed_networks: tuple[Network, ...] = ()

    def permits(self, address: str) -> bool:
        """Tell whether a connection to this numeric address may be made; what is no address is not permitted."""
        try:
            target = _unmapped(ip_address(address))
        except ValueError:
            return False
        return any(target in network for network in self._exceptions()) or _is_public(target)

    def _exceptions(self) -> tuple[Network, ...]:
        return self.allowed_networks + _LOOPBACK if self.allow_loopback else self.allowed_networks


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that the operating system would really connect to."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _BLOCKED_IPV4)
    return address in _PUBLIC_IPV6 and not any(address in network for network in _BLOCKED_IPV6)
