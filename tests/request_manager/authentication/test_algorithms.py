"""A signature counts only by the algorithm and the key that are its issuer's."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from self_service_agent.request_manager.authentication.rules import Principal
from tests.request_manager.authentication.signing import (
    EC,
    ED,
    OTHER_RSA,
    SECRET,
    a_token,
    an_issuer,
    claims,
    ec_jwk,
    encoded,
    es256,
    header,
    hs256,
    oct_jwk,
    ps256,
    rs256,
    rsa_jwk,
)
from tests.request_manager.authentication.verifying import open_verifier, outcome

ATTACKERS = rs256(OTHER_RSA)
ED_JWK = {"kty": "OKP", "crv": "Ed25519", "x": encoded(ED.public_key().public_bytes_raw()), "kid": "edwards"}


@pytest.mark.parametrize(
    ("algorithm", "jwk", "sign"),
    [
        ("RS256", rsa_jwk(), rs256()),
        ("PS256", rsa_jwk(), ps256),
        ("ES256", ec_jwk(), es256),
        ("EdDSA", ED_JWK, ED.sign),
        ("Ed25519", ED_JWK, ED.sign),
        ("HS256", oct_jwk(kid="shared"), hs256(SECRET)),
    ],
)
async def test_every_algorithm_is_checked_with_its_own_key(algorithm, jwk, sign):
    token = a_token(header(alg=algorithm, kid=jwk["kid"]), sign=sign)

    async with open_verifier(an_issuer(algorithms=[algorithm], jwks={"keys": [jwk]})) as verifier:
        accepted = await outcome(verifier, token)
        forged = await outcome(verifier, token[:-8] + "AAAAAAAA")

    assert (accepted, forged) == (Principal(login="alice"), None)


async def test_a_key_signs_for_its_own_issuer_only():
    first, second = an_issuer(), an_issuer(issuer="https://b.example.com", jwks={"keys": [rsa_jwk(OTHER_RSA)]})
    theirs = claims(iss="https://b.example.com")

    async with open_verifier(first, second) as verifier:
        assert await outcome(verifier, a_token(payload=theirs)) is None
        assert await outcome(verifier, a_token(sign=ATTACKERS)) is None
        assert await outcome(verifier, a_token(payload=theirs, sign=ATTACKERS)) == Principal(login="alice")


@pytest.mark.parametrize("members", [{"use": "enc"}, {"alg": "RS512"}, {"key_ops": ["encrypt"]}])
async def test_a_key_for_something_else_signs_nothing(members):
    issuer = an_issuer(algorithms=["RS256", "PS256"], jwks={"keys": [rsa_jwk(kid="a"), rsa_jwk(**members)]})

    async with open_verifier(issuer) as verifier:
        assert await outcome(verifier, a_token()) is None
        assert await outcome(verifier, a_token(header(kid="a"))) == Principal(login="alice")


async def test_a_curve_signature_in_another_form_is_none():
    token = a_token(header(alg="ES256", kid="curve"), sign=lambda signed: EC.sign(signed, ECDSA(SHA256())))

    async with open_verifier(an_issuer(algorithms=["ES256"], jwks={"keys": [ec_jwk()]})) as verifier:
        assert await outcome(verifier, token) is None
