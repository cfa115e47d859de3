import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from self_service_agent.channels.webhook.signature import signature_headers, signing_key

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_scheme_s_published_example_is_met():
    headers = signature_headers(
        signing_key(SECRET),
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        now=datetime.fromtimestamp(1614265330, tz=UTC),
        body=b'{"test": 2432232314}',
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(key=st.binary(min_size=1, max_size=64), body=st.text(), message_id=st.uuids().map(str))
def test_the_scheme_s_own_library_verifies_our_signatures(key, body, message_id):
    now = datetime.now(timezone(timedelta(hours=5)))
    headers = signature_headers(key, message_id=message_id, now=now, body=body.encode())

    Webhook(key).verify(body.encode(), headers, json_parse=False)


@pytest.mark.parametrize("written", ["whsec_AAECAw==", "whsec_AAECAw", "AAECAw==", "AAECAw"])
def test_prefix_and_padding_may_be_missing(written):
    assert signing_key(written) == base64.b64decode("AAECAw==")


@pytest.mark.parametrize("written", ["", "whsec_", "whsec_not base64", "whsec_%%%%", "whsec_ü", "a"])
def test_what_is_no_secret_is_refused(written):
    with pytest.raises(ValueError, match="must"):
        signing_key(written)
