"""What `JWT_ISSUERS` may say, and what a wrong one is told before anything starts."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from self_service_agent.kit.settings import SettingsError, read
from self_service_agent.request_manager.authentication.issuers import JwtSettings
from self_service_agent.request_manager.authentication.rules import Role
from tests.request_manager.authentication.signing import EC, ISSUER, PEM, RSA, ec_jwk, oct_jwk, rsa_jwk

URI = "https://login.example.com/keys"
PRIVATE_PEM = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
EC_PEM = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
ODD_PEM = (
    ec.generate_private_key(ec.SECP192R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
)
DSA_PEM = (
    dsa.generate_private_key(1024).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # noqa: S505
)
WEAK = rsa_jwk(rsa.generate_private_key(65537, 1024))  # noqa: S505 it is the point
BARE = {"issuer": ISSUER, "audience": "a", "algorithms": ["RS256"]}


def given(monkeypatch, *issuers, **variables):
    monkeypatch.setenv("JWT_ISSUERS", json.dumps(issuers))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return read(JwtSettings)


def test_nothing_is_configured_by_default(monkeypatch):
    monkeypatch.delenv("JWT_ISSUERS", raising=False)

    assert read(JwtSettings) == JwtSettings(jwt_enabled=False, jwt_issuers=(), jwt_leeway_seconds=30)


def test_an_issuer_is_read_whole(monkeypatch):
    document = {
        **BARE,
        "audience": ["a", "b"],
        "jwks_uri": URI,
        "groups_claim": "roles",
        "roles": {"Helpdesk": "operator"},
    }

    settings = given(monkeypatch, document, JWT_ENABLED="true", JWT_LEEWAY_SECONDS="5")

    [issuer] = settings.jwt_issuers
    assert (settings.jwt_enabled, settings.jwt_leeway_seconds) == (True, 5)
    assert (issuer.issuer, issuer.audience, issuer.algorithms) == (ISSUER, {"a", "b"}, ("RS256",))
    assert (issuer.user_claim, issuer.email_claim, issuer.groups_claim) == ("sub", "email", "roles")
    assert (issuer.jwks_uri, issuer.keys, issuer.roles) == (URI, None, {"Helpdesk": Role.OPERATOR})


@pytest.mark.parametrize(
    ("algorithm", "source"),
    [
        ("RS256", {"jwks": {"keys": [rsa_jwk()]}}),
        ("PS512", {"public_key": PEM.decode()}),
        ("ES256", {"public_key": EC_PEM}),
        ("HS256", {"jwks": {"keys": [oct_jwk(b"a" * 32)]}}),
        ("HS512", {"jwks": {"keys": [oct_jwk(b"a" * 64)]}}),
    ],
)
def test_keys_can_be_configured(monkeypatch, algorithm, source):
    settings = given(monkeypatch, {**BARE, "algorithms": [algorithm], **source})

    assert len(settings.jwt_issuers[0].keys) == 1


@pytest.mark.parametrize("uri", [URI, "http://127.0.0.1:9000/keys", "http://[::1]/keys", "http://localhost/keys"])
def test_keys_come_over_tls_or_from_this_machine(monkeypatch, uri):
    assert given(monkeypatch, {**BARE, "jwks_uri": uri}).jwt_issuers[0].jwks_uri == uri


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "exactly one of jwks_uri, jwks and public_key"),
        ({"jwks_uri": URI, "public_key": PEM.decode()}, "exactly one of jwks_uri, jwks and public_key"),
        ({"jwks_uri": URI, "jwks": {"keys": [rsa_jwk()]}}, "exactly one of jwks_uri, jwks and public_key"),
        ({"jwks_uri": URI, "algorithms": ["none"]}, "none would accept tokens that nobody signed"),
        ({"jwks_uri": URI, "algorithms": ["RS256", "nOnE"]}, "none would accept tokens that nobody signed"),
        ({"jwks_uri": URI, "algorithms": ["RS257"]}, "'RS257' is not an algorithm we know"),
        ({"jwks_uri": URI, "algorithms": ["rs256"]}, "'rs256' is not an algorithm we know"),
        ({"jwks_uri": URI, "algorithms": ["HS256"]}, "HS256 needs a secret in jwks"),
        ({"public_key": PEM.decode(), "algorithms": ["HS256"]}, "HS256 needs a secret in jwks"),
        ({"public_key": PEM.decode(), "algorithms": ["RS256", "HS256"]}, "HS256 needs a secret in jwks"),
        ({"jwks": {"keys": [rsa_jwk(), oct_jwk()]}, "algorithms": ["RS256", "HS256"]}, "HS256 needs a secret in jwks"),
        ({"jwks": {"keys": [rsa_jwk()]}, "algorithms": ["HS256"]}, "none of its keys is for HS256"),
        ({"jwks": {"keys": [ec_jwk()]}}, "none of its keys is for RS256"),
        ({"jwks": {"keys": [rsa_jwk(use="enc")]}}, "none of its keys is for RS256"),
        ({"jwks": {"keys": []}}, "none of its keys is for RS256"),
        ({"jwks": {"keys": [oct_jwk(b"a" * 31)]}, "algorithms": ["HS256"]}, "HS256 has at least 32 bytes"),
        ({"jwks": {"keys": [oct_jwk(b"a" * 32)]}, "algorithms": ["HS256", "HS384"]}, "HS384 has at least 48 bytes"),
        ({"jwks": {"keys": [oct_jwk(b"a" * 9)]}, "algorithms": ["HS256"]}, "too short to be safe"),
        ({"jwks": {"keys": [oct_jwk(PEM)]}, "algorithms": ["HS256"]}, "a key cannot be read"),
        ({"jwks": {"keys": [WEAK]}}, "too short to be safe"),
        ({"jwks": {"keys": [{"kty": "RSA"}]}}, "a key cannot be read"),
        ({"jwks": {"keys": [{"kty": "DH"}]}}, "a type that is not known"),
        ({"jwks": {"keys": [7]}}, "a type that is not known"),
        ({"jwks": {"keys": [rsa_jwk()] * 65}}, "at most 64 keys"),
        ({"jwks": rsa_jwk()}, "a JWK set is an object"),
        ({"public_key": PRIVATE_PEM}, "a private key is configured"),
        ({"public_key": "not a key"}, "a key cannot be read"),
        ({"public_key": ""}, "a key cannot be read"),
        ({"public_key": DSA_PEM.decode()}, "public_key is for RSA, EC or Ed25519"),
        ({"public_key": PEM.decode(), "algorithms": ["ES256"]}, "none of its keys is for ES256"),
        ({"public_key": ODD_PEM.decode(), "algorithms": ["ES256"]}, "a key cannot be read"),
        ({"jwks_uri": "http://login.example.com/keys"}, "must be an https URL"),
        ({"jwks_uri": "http://localhost.example.com/keys"}, "must be an https URL"),
        ({"jwks_uri": "http://127.0.0.1@login.example.com/keys"}, "must be an https URL"),
        ({"jwks_uri": "file:///etc/passwd"}, "must be an https URL"),
        ({"jwks_uri": "https://"}, "must be an https URL"),
        ({"jwks_uri": "https://[/"}, "must be an https URL"),
        ({"jwks_uri": URI, "roles": {"tools": "service"}}, "roles can be user, operator and admin"),
    ],
)
def test_a_wrong_issuer_stops_the_start_with_its_name(monkeypatch, changes, reason):
    with pytest.raises(SettingsError) as refused:
        given(monkeypatch, {**BARE, "jwks_uri": URI, "issuer": "https://right.example.com"}, {**BARE, **changes})

    message = str(refused.value)
    assert message.startswith("JWT_ISSUERS.1: ")
    assert ISSUER in message
    assert reason in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jwks_url": URI}, "JWT_ISSUERS.0.jwks_url: "),
        ({"audience": []}, "JWT_ISSUERS.0.audience: "),
        ({"audience": ""}, "JWT_ISSUERS.0.audience.0: "),
        ({"algorithms": []}, "JWT_ISSUERS.0.algorithms: "),
        ({"issuer": ""}, "JWT_ISSUERS.0.issuer: "),
        ({"roles": {"g": "root"}}, "JWT_ISSUERS.0.roles.g: "),
    ],
)
def test_a_wrong_member_is_named(monkeypatch, changes, message):
    with pytest.raises(SettingsError, match=message):
        given(monkeypatch, {**BARE, "jwks_uri": URI, **changes})


def test_an_issuer_is_configured_once(monkeypatch):
    with pytest.raises(SettingsError, match=f"JWT_ISSUERS names the issuer {ISSUER} twice"):
        given(monkeypatch, {**BARE, "jwks_uri": URI}, {**BARE, "jwks_uri": URI})


def test_tokens_are_of_somebody(monkeypatch):
    with pytest.raises(SettingsError, match="JWT_ENABLED is true, but JWT_ISSUERS names no issuer"):
        given(monkeypatch, JWT_ENABLED="true")


def test_what_is_not_json_is_named(monkeypatch):
    monkeypatch.setenv("JWT_ISSUERS", "{")

    with pytest.raises(SettingsError, match="JWT_ISSUERS is not valid JSON"):
        read(JwtSettings)


def test_a_secret_is_not_shown(monkeypatch):
    secret = oct_jwk()

    settings = given(monkeypatch, {**BARE, "algorithms": ["HS256"], "jwks": {"keys": [secret]}})

    assert secret["k"] not in repr(settings)
