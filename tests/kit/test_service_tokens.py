import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry
from pydantic import SecretStr

from self_service_agent.kit.service_tokens import InvalidServiceToken, ServiceIdentity, ServiceTokens

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OLD = SecretStr("the old secret, long enough for HS256")
NEW = SecretStr("the new secret, long enough for HS256")
TOKENS = ServiceTokens(NEW)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


def a_token(tokens=TOKENS, **changes):
    known = {"service": "agent-service", "audience": "mcp-servicenow", "subject": "alice@company.com", "now": NOON}
    return tokens.issue(**{**known, **changes})


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(claims, algorithm="HS256", secret=NEW):
    return jwt.encode({"alg": algorithm}, claims, OctKey.import_key(secret.get_secret_value()), [algorithm])


def claims(**changes):
    start = int(NOON.timestamp())
    known = {"iss": "self-service-agent", "client_id": "agent-service", "aud": "here", "nbf": start, "exp": start + 60}
    return {key: value for key, value in {**known, **changes}.items() if value is not None}


@pytest.mark.parametrize("subject", ["alice@company.com", None])
def test_a_token_tells_service_and_subject(subject):
    identity = TOKENS.verify(a_token(subject=subject), audience="mcp-servicenow", now=NOON)

    assert identity == ServiceIdentity(service="agent-service", subject=subject)


@pytest.mark.parametrize(
    ("audience", "seconds"),
    [
        pytest.param("request-manager", 0, id="another audience"),
        pytest.param("mcp-servicenow", 65, id="expired"),
        pytest.param("mcp-servicenow", -6, id="not yet valid"),
    ],
)
def test_a_token_is_for_one_audience_and_one_minute(audience, seconds):
    with pytest.raises(InvalidServiceToken):
        TOKENS.verify(a_token(), audience=audience, now=NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-5, 64])
def test_clocks_may_differ_by_five_seconds(seconds):
    identity = TOKENS.verify(a_token(), audience="mcp-servicenow", now=NOON + timedelta(seconds=seconds))

    assert identity.service == "agent-service"


def test_the_previous_secret_is_accepted_while_rotating():
    rotating = ServiceTokens(NEW, previous=OLD)

    identity = rotating.verify(a_token(ServiceTokens(OLD)), audience="mcp-servicenow", now=NOON)

    assert identity.subject == "alice@company.com"


def test_new_tokens_are_signed_with_the_new_secret():
    token = a_token(ServiceTokens(NEW, previous=OLD))

    with pytest.raises(InvalidServiceToken):
        ServiceTokens(OLD).verify(token, audience="mcp-servicenow", now=NOON)


@pytest.mark.parametrize("missing", ["iss", "client_id", "aud", "nbf", "exp"])
def test_every_claim_is_required(missing):
    with pytest.raises(InvalidServiceToken):
        TOKENS.verify(signed(claims(**{missing: None})), audience="here", now=NOON)


@pytest.mark.parametrize(
    "wrong", [{"iss": "somebody"}, {"sub": 7}, {"exp": "soon"}, {"exp": float("nan")}, {"client_id": ""}]
)
def test_a_claim_of_a_wrong_value_is_refused(wrong):
    with pytest.raises(InvalidServiceToken):
        TOKENS.verify(signed(claims(**wrong)), audience="here", now=NOON)


def test_another_algorithm_is_refused_even_with_the_right_secret():
    with pytest.raises(InvalidServiceToken):
        TOKENS.verify(signed(claims(), "HS512"), audience="here", now=NOON)


def test_a_token_without_signature_is_refused():
    token = f"{encoded({'alg': 'none'})}.{encoded(claims())}."

    with pytest.raises(InvalidServiceToken):
        TOKENS.verify(token, audience="here", now=NOON)


def test_a_short_secret_stops_the_start():
    with pytest.raises(ValueError, match="at least 32 bytes"):
        ServiceTokens(SecretStr("short"))


@given(st.text())
def test_any_text_is_merely_invalid(junk):
    with pytest.raises(InvalidServiceToken):
        TOKENS.verify(junk, audience="here", now=NOON)


@given(JSON | st.dictionaries(st.sampled_from(["alg", "typ", "crit", "b64", "kid", "jwk", "x5c"]), JSON))
def test_any_header_is_merely_invalid(header):
    with pytest.raises(InvalidServiceToken):
        TOKENS.verify(f"{encoded(header)}.{encoded(claims())}.c2ln", audience="here", now=NOON)


@given(JSON | st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "client_id"]), JSON))
def test_any_signed_payload_is_merely_invalid(payload):
    start, _, _ = signed({}).partition(".")
    signing_key = OctKey.import_key(NEW.get_secret_value())
    body = f"{start}.{encoded(payload)}"
    signature = JWSRegistry.algorithms["HS256"].sign(body.encode(), signing_key)

    with pytest.raises(InvalidServiceToken):
        TOKENS.verify(f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}", audience="here", now=NOON)
