"""Nothing secret is ever written down, wherever somebody put it."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretBytes, SecretStr

from self_service_agent.request_manager.keys.text import KeyKind, format_key
from self_service_agent.shared_models.audit.entries import storable
from self_service_agent.shared_models.audit.redaction import REDACTED, without_secrets
from tests.request_manager.audit.builders import an_act

KEY = format_key(KeyKind.TOOL, b"canary" * 5 + b"!!")
CANARIES = [
    pytest.param(KEY, id="a key of ours"),
    pytest.param(KEY[:-3], id="a key of ours, cut off"),
    pytest.param("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl", id="JWT"),
    pytest.param("xoxb-1234-canary", id="Slack"),
    pytest.param("ghp_abcdefghijklmnopqrstuvwxyz0123456789", id="GitHub"),
    pytest.param("sk-abcdefghijklmnopqrstuvwxyz", id="model provider"),
    pytest.param("-----BEGIN RSA PRIVATE KEY-----\nMIIcanary\n-----END RSA PRIVATE KEY-----", id="private key"),
]
TEXTS = [
    "{}",
    "the header was '{}'",
    "Authorization: Bearer {}",
    "https://here/path?access_token={}&x=1",
    '{{"k":"{}"}}',
]
LONE_SURROGATES = st.characters(categories=["Cs"])
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | LONE_SURROGATES | st.binary()
NAMES = [
    "password",
    "api_key",
    "apiKey",
    "Authorization",
    "slack_signing_secret",
    "client-token",
    "Set-Cookie",
    "SIGNATURE",
]


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("place", ["actor", "action", "target", "reason", "address", "correlation_id"])
def test_no_text_of_an_entry_holds_a_secret(canary, text, place):
    kept = getattr(storable(an_act(**{place: text.format(canary)})), place)

    assert canary not in kept
    assert REDACTED in kept


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("text", TEXTS)
def test_no_detail_holds_a_secret_at_any_depth(canary, text):
    secret = text.format(canary)

    details = {"a": secret, "b": [{"c": (secret, {secret: 1})}], "error": ValueError(secret)}

    assert canary not in str(storable(an_act(details=details)))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_called_a_secret_is_one(name):
    details = {name: "canary", "inner": {name: ["canary"]}, "list": [{name: {"value": "canary"}}]}

    assert "canary" not in str(without_secrets(details))


@pytest.mark.parametrize("value", [SecretStr("canary"), SecretBytes(b"canary"), b"canary", bytearray(b"canary")])
def test_what_is_of_a_secret_type_is_one(value):
    assert without_secrets({"value": value}) == {"value": REDACTED}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgresql://ssa:canary@db/llama_agents", f"postgresql://{REDACTED}@db/llama_agents"),
        ("Basic YWxpY2U6Y2FuYXJ5 was sent", f"{REDACTED} was sent"),
        ("/oauth?state=1&code=canary#top", f"/oauth?state=1&{REDACTED}#top"),
    ],
)
def test_only_the_secret_goes(text, kept):
    assert without_secrets(text) == kept


def test_what_is_not_secret_stays():
    details = {
        "key_id": "0198c0de-0000-7000-8000-000000000000", "hint": "ssa_pAbCd", "tokens": 512, "is_token": True,
        "roles": ["user"], "until": None, "url": "https://here:8080/api/v1/keys?limit=1", "login": "alice.johnson",
    }  # fmt: skip

    assert without_secrets(details) == details


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_whatever_it_is_becomes_json_that_can_be_stored(value):
    text = orjson.dumps(without_secrets({"value": value})).decode()

    assert "\\u0000" not in text


def test_long_texts_are_cut_to_their_columns():
    kept = storable(an_act(actor="a" * 300, reason="r" * 9_000, address="9" * 99, target="x\x00y"))

    assert (len(kept.actor), len(kept.reason), len(kept.address), kept.target) == (255, 500, 45, "x\ufffdy")
