from ipaddress import ip_network

import pytest

from self_service_agent.kit.http.egress import EgressPolicy

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.1",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.255.255",
    "192.169.0.1",
    "198.17.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450:4001:80e::200e",
    "::ffff:8.8.8.8",
]
BLOCKED = [
    "0.0.0.0",  # noqa: S104 an address to be refused, nothing listens on it
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:10::1",
    "2001:20::1",
    "2001:2::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
NO_ADDRESS = ["", "localhost", "2130706433", "0x7f000001", "0x7f.1", "127.1", "017700000001", "127.0.0.01", "1.1.1.1 "]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address):
    assert EgressPolicy().permits(address)


@pytest.mark.parametrize("address", BLOCKED)
def test_inward_and_reserved_addresses_are_not(address):
    assert not EgressPolicy().permits(address)


@pytest.mark.parametrize("address", NO_ADDRESS)
def test_what_is_no_address_is_not_permitted(address):
    assert not EgressPolicy(allow_loopback=True, allowed_networks=(ip_network("0.0.0.0/0"),)).permits(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_loopback_can_be_allowed(address):
    assert EgressPolicy(allow_loopback=True).permits(address)


@pytest.mark.parametrize("address", ["0.0.0.1", "::", "10.0.0.1", "169.254.169.254", "::127.0.0.1", "2002:7f00:1::"])
def test_allowing_loopback_allows_nothing_else(address):
    assert not EgressPolicy(allow_loopback=True).permits(address)


@pytest.mark.parametrize(
    ("network", "inside", "beside"),
    [
        ("10.1.0.0/16", "10.1.2.3", "10.2.0.1"),
        ("10.1.0.0/16", "::ffff:10.1.2.3", "::ffff:10.2.0.1"),
        ("fd12::/16", "fd12::1", "fd13::1"),
        ("64:ff9b::/96", "64:ff9b::808:808", "64:ff9b:1::1"),
    ],
)
def test_an_allowed_network_overrides_a_block(network, inside, beside):
    policy = EgressPolicy(allowed_networks=(ip_network(network),))

    assert policy.permits(inside)
    assert not policy.permits(beside)
