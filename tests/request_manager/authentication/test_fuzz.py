"""Any text is a token that is merely refused, and whatever is changed in a good token is noticed."""

import contextlib
import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from self_service_agent.request_manager.authentication.claims import is_name
from self_service_agent.request_manager.authentication.gateway import GatewayHeaders
from self_service_agent.request_manager.authentication.keys import UnusableKey, read_published
from self_service_agent.request_manager.authentication.rules import Principal, Unauthenticated
from tests.request_manager.authentication.mutating import damaged_token
from tests.request_manager.authentication.signing import NOW, SECRET, a_token, claims, ec_jwk, hs256, oct_jwk, rsa_jwk
from tests.request_manager.authentication.trusted import BY_SECRET, GOOD, outcome

SECONDS = int(NOW.timestamp())
QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
header_names = st.sampled_from(["alg", "typ", "crit", "b64", "kid", "jwk", "jku", "x5c", "x5u", "enc", "zip", "cty"])
claim_names = st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "email", "email_verified", "groups"])
key_names = st.sampled_from(["kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y", "d", "k"])
user_headers = st.sampled_from([b"x-user-id", b"X-Forwarded-User", b"x-remote-user", b"x-user-email", b"x-user-groups"])


def test_the_tokens_that_are_damaged_are_good():
    assert [outcome(token) for token in GOOD] == [Principal(login="alice")] * 3


@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_damaged_tokens_are_refused(seed):
    random = Random(seed)  # noqa: S311 damage need not be a secret

    assert [token for _ in range(1000) if outcome(token := damaged_token(random, GOOD))] == []


@QUICK
@given(st.text(st.characters()) | st.text(st.sampled_from("eyJhbGciOi.-_="), max_size=60))
def test_any_text_is_refused(text):
    assert outcome(text) is None


@QUICK
@given(values | st.dictionaries(header_names, values), st.sampled_from([claims(), claims(iss=BY_SECRET.issuer)]))
def test_any_header_on_a_forgery_is_refused(head, payload):
    assert outcome(a_token(head, payload, lambda signed: b"signature")) is None


@QUICK
@given(st.dictionaries(header_names, values), st.dictionaries(claim_names, values), values)
def test_an_issuer_that_signs_odd_things_names_nobody_odd(head, payload, instead):
    members = claims(iss=BY_SECRET.issuer, exp=SECONDS + 9) | payload
    tokens = [a_token({"alg": "HS256", **head}, body, hs256(SECRET)) for body in (members, instead)]

    for known in filter(None, map(outcome, tokens)):
        assert known.tool_id is None
        assert all(is_name(name) for name in (known.login, known.email) if name is not None)


@QUICK
@given(st.binary() | values.map(lambda value: json.dumps({"keys": [value]}).encode()))
def test_any_answer_is_keys_or_unusable(content):
    with contextlib.suppress(UnusableKey):
        assert isinstance(read_published(content), tuple)


@QUICK
@given(st.dictionaries(key_names, values), st.sampled_from([rsa_jwk(), ec_jwk(), oct_jwk()]))
def test_any_key_is_read_or_passed_over(members, known):
    assert len(read_published(json.dumps({"keys": [known | members]}).encode())) <= 1


@QUICK
@given(
    st.lists(st.tuples(user_headers | st.binary(), st.binary() | st.text().map(str.encode)), max_size=4),
    st.text() | st.ip_addresses().map(str) | st.none(),
)
def test_headers_of_strangers_name_nobody(headers, peer):
    with contextlib.suppress(Unauthenticated):
        assert GatewayHeaders().identity(headers, peer) is None
