"""Which keys of an issuer's document count."""

import json

from joserfc.jwk import ECKey, RSAKey

from self_service_agent.request_manager.authentication.keys import read_published
from tests.request_manager.authentication.signing import ec_jwk, oct_jwk, rsa_jwk


def test_published_keys_are_public_ones():
    private = [key.generate_key().as_dict(private=True) for key in (RSAKey, ECKey)]

    keys = read_published(json.dumps({"keys": [*private, oct_jwk(), rsa_jwk(), ec_jwk()]}).encode())

    assert [key.kid for key in keys] == ["first", "curve"]


def test_an_issuer_may_have_withdrawn_all_keys():
    assert read_published(b'{"keys": []}') == ()
