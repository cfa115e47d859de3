"""Headers that name a user count only from our own gateway, and only if they agree."""

from ipaddress import ip_network

import pytest

from self_service_agent.kit.settings import SettingsError, read
from self_service_agent.request_manager.authentication.gateway import GatewayHeaders, GatewaySettings
from self_service_agent.request_manager.authentication.rules import Principal, Role, Unauthenticated

GATEWAY = GatewayHeaders(
    trusted=(ip_network("10.1.0.0/16"), ip_network("fd00::/8")),
    roles={"it-admins": Role.ADMIN, "help-desk": Role.OPERATOR},
)


def identity(*pairs, peer="10.1.2.3", gateway=GATEWAY):
    return gateway.identity([(name.encode(), value.encode()) for name, value in pairs], peer)


@pytest.mark.parametrize(
    ("headers", "login", "email"),
    [
        ([("x-user-id", "alice")], "alice", None),
        ([("X-Forwarded-User", "alice")], "alice", None),
        ([("x-remote-user", "alice"), ("x-user-email", "Alice@Company.com")], "alice", "alice@company.com"),
        ([("x-user-email", "alice@company.com")], None, "alice@company.com"),
        ([("x-forwarded-user", "alice@company.com")], None, "alice@company.com"),
        ([("x-user-id", "alice"), ("x-forwarded-user", "Alice@company.com")], "alice", "alice@company.com"),
        ([("x-user-id", "alice"), ("x-remote-user", "Alice")], "alice", None),
        ([("x-user-id", " alice "), ("x-user-email", "")], "alice", None),
    ],
)
def test_the_gateway_names_a_user(headers, login, email):
    assert identity(("host", "x"), *headers) == Principal(login=login, email=email)


@pytest.mark.parametrize("headers", [[], [("host", "x"), ("user", "alice")], [("x-user-id", "")]])
def test_without_such_headers_nobody_is_named(headers):
    assert identity(*headers) is None


def test_strangers_without_such_headers_are_nobody():
    assert identity(("host", "x"), peer="192.0.2.1") is None


@pytest.mark.parametrize("peer", ["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "fd12::1"])
def test_every_address_of_a_trusted_network_is_trusted(peer):
    assert identity(("x-user-id", "alice"), peer=peer) == Principal(login="alice")


@pytest.mark.parametrize("peer", ["10.2.0.1", "127.0.0.1", "::1", "::ffff:10.2.0.1", "10.1.2", "testclient", "", None])
@pytest.mark.parametrize("header", ["x-user-id", "X-Forwarded-User", "x-remote-user", "x-user-email", "X-USER-GROUPS"])
@pytest.mark.parametrize("value", ["alice", ""])
def test_headers_from_strangers_are_refused(peer, header, value):
    with pytest.raises(Unauthenticated):
        identity((header, value), peer=peer)


def test_nobody_is_trusted_by_default():
    with pytest.raises(Unauthenticated):
        identity(("x-user-id", "alice"), peer="127.0.0.1", gateway=GatewayHeaders())


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("x-user-id", "alice"), ("x-user-id", "alice")], id="twice"),
        pytest.param([("x-user-id", "alice"), ("X-User-Id", "bob")], id="twice, in another case"),
        pytest.param([("x-user-groups", "a"), ("x-user-groups", "it-admins"), ("x-user-id", "a")], id="groups twice"),
        pytest.param([("x-user-id", "alice"), ("x-remote-user", "bob")], id="two logins"),
        pytest.param([("x-user-email", "a@b.com"), ("x-forwarded-user", "c@d.com")], id="two e-mails"),
        pytest.param([("x-user-id", "a@b.com"), ("x-forwarded-user", "c@d.com")], id="two e-mails as users"),
        pytest.param([("x-user-groups", "it-admins")], id="groups of nobody"),
        pytest.param([("x-user-id", "alice"), ("x-user-email", "alice")], id="an e-mail that is none"),
        pytest.param([("x-user-id", "a" * 256)], id="a long name"),
        pytest.param([("x-user-id", "a\0")], id="NUL"),
        pytest.param([("x-user-id", "a\tb")], id="a tab"),
        pytest.param([("x-user-id", "a"), ("x-user-groups", "b\x7f")], id="DEL"),
    ],
)
def test_headers_that_contradict_each_other_are_refused(headers):
    with pytest.raises(Unauthenticated):
        identity(*headers)


def test_headers_that_are_not_utf8_are_refused():
    with pytest.raises(Unauthenticated):
        GATEWAY.identity([(b"x-user-id", b"\xff\xfe")], "10.1.2.3")


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        ("", {Role.USER}),
        ("admin,staff", {Role.USER}),
        ("staff, it-admins", {Role.USER, Role.ADMIN}),
        ("help-desk,it-admins,", {Role.USER, Role.OPERATOR, Role.ADMIN}),
    ],
)
def test_only_a_configured_group_makes_more_than_a_user(groups, roles):
    assert identity(("x-user-id", "alice"), ("x-user-groups", groups)).roles == roles


def test_settings_are_networks_and_roles(monkeypatch):
    monkeypatch.setenv("TRUSTED_PROXIES", "10.1.0.0/16, 192.0.2.7,fd00::/8")
    monkeypatch.setenv("GATEWAY_ROLES", '{"it-admins": "admin"}')

    settings = read(GatewaySettings)

    assert settings.trusted_proxies == (ip_network("10.1.0.0/16"), ip_network("192.0.2.7"), ip_network("fd00::/8"))
    assert settings.gateway_roles == {"it-admins": Role.ADMIN}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRUSTED_PROXIES", "10.1.0.1/16"),
        ("TRUSTED_PROXIES", "gateway"),
        ("TRUSTED_PROXIES", "10.1.0.0/16,0.0.0.0/0"),
        ("TRUSTED_PROXIES", "::/0"),
        ("GATEWAY_ROLES", '{"a": "service"}'),
        ("GATEWAY_ROLES", '{"a": "root"}'),
        ("GATEWAY_ROLES", "it-admins"),
    ],
)
def test_wrong_settings_stop_the_start_with_their_name(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=variable):
        read(GatewaySettings)
