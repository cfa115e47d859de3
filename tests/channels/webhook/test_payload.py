import json
from datetime import timedelta
from email.utils import format_datetime

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from self_service_agent.channels.base import (
    DeliveryError,
    InvalidConfig,
    NoAddress,
    PermanentDeliveryError,
    Receipt,
    TransientDeliveryError,
)
from self_service_agent.channels.webhook import payload
from self_service_agent.channels.webhook.config import WebhookAddress
from self_service_agent.kit import clock
from tests.channels.builders import NOON, a_person, a_reply

OURS = {"Content-Type": "application/json", "X-Request-ID": "request-1", "X-Session-ID": "session-1"}


def headers_for(address: WebhookAddress) -> dict[str, str]:
    return dict(payload.headers(a_reply(), address, content=b"{}", secret=None, now=NOON))


def test_the_body_says_who_is_told_what():
    body = payload.body(a_reply(metadata={"engine": "rules"}))

    assert json.loads(body) == {
        "delivery_id": "0199a000-0000-7000-8000-000000000001",
        "request_id": "request-1",
        "session_id": "session-1",
        "user_id": "u-1",
        "agent_id": "laptop-refresh-agent",
        "subject": "Your laptop",
        "content": "Your new laptop is ordered.",
        "metadata": {"engine": "rules"},
        "timestamp": "2026-11-20T12:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {}),
        ({"auth_type": "none"}, {}),
        ({"auth_type": "bearer", "token": "t0k"}, {"Authorization": "Bearer t0k"}),
        ({"auth_type": "api_key", "api_key": "k3y"}, {"X-API-Key": "k3y"}),
        ({"auth_type": "api_key", "token": "k3y", "key_header": "X-Key"}, {"X-Key": "k3y"}),
        ({"auth_type": "basic", "username": "bob", "password": "pä"}, {"Authorization": "Basic Ym9iOnDDpA=="}),
        ({"auth_type": "basic", "username": "bob"}, {"Authorization": "Basic Ym9iOg=="}),
        ({"headers": {"X-Team": "it"}}, {"X-Team": "it"}),
        (
            {"headers": {"authorization": "mine"}, "auth_type": "bearer", "token": "t0k"},
            {"Authorization": "Bearer t0k"},
        ),
    ],
)
def test_the_address_s_credential_is_sent(config, expected):
    address = WebhookAddress.model_validate({"url": "https://example.com", **config})

    assert headers_for(address) == {**expected, **OURS}


@pytest.mark.parametrize(
    ("own", "shared", "signs"),
    [
        ("b3duLWtleQ==", None, "b3duLWtleQ=="),
        (None, "c2hhcmVk", "c2hhcmVk"),
        ("b3duLWtleQ==", "c2hhcmVk", "b3duLWtleQ=="),
    ],
)
def test_an_address_s_own_secret_comes_before_the_shared_one(own, shared, signs):
    address = WebhookAddress.model_validate({"url": "https://example.com", "secret": own})
    body = payload.body(a_reply())

    headers = payload.headers(
        a_reply(), address, content=body, secret=SecretStr(shared) if shared else None, now=clock.now()
    )

    assert Webhook(signs).verify(body, dict(headers))["request_id"] == "request-1"
    assert headers["webhook-id"] == a_reply().delivery_id


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_receipt(status):
    assert payload.read_receipt(status, {}, now=NOON) == Receipt(detail={"status": status})


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, PermanentDeliveryError) for status in (301, 302, 304, 307, 308)),
        *((status, PermanentDeliveryError) for status in (400, 401, 403, 404, 405, 409, 410, 413, 422)),
        *((status, TransientDeliveryError) for status in (408, 425, 429, 500, 502, 503, 504, 599)),
    ],
)
def test_other_statuses_say_whether_to_try_again(status, error):
    with pytest.raises(DeliveryError, match=f"http {status}") as caught:
        payload.read_receipt(status, {}, now=NOON)

    assert type(caught.value) is error


@pytest.mark.parametrize("wish", ["90", format_datetime(NOON + timedelta(seconds=90), usegmt=True)])
def test_the_receiver_s_wish_to_wait_is_passed_on(wish):
    with pytest.raises(TransientDeliveryError) as caught:
        payload.read_receipt(503, {"Retry-After": wish}, now=NOON)

    assert caught.value.retry_after == 90.0


@pytest.mark.parametrize("key", ["url", "webhook_url"])
def test_the_url_has_two_names(key):
    address = payload.address_of(a_person(), {key: "https://example.com/hook", "unknown": 1}, {})

    assert address.url == "https://example.com/hook"


def test_without_a_url_the_address_is_the_installation_s():
    assert payload.address_of(a_person(), {}, {}).url is None


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"url": "ftp://s3cret"}, "url: must be an http or https URL"),
        ({"url": "https://"}, "url: must be an http or https URL"),
        ({"url": "https://s3cret:s3cret@example.com"}, "url: must not contain a user name"),
        ({"url": "https://[s3cret"}, "url: "),
        ({"url": "http://localhost:9000/x\r\nX: s3cret"}, "url: must not contain spaces or control"),
        ({"url": "http://localhost:9000/ s3cret"}, "url: must not contain spaces or control"),
        ({"url": " http://localhost:9000/s3cret"}, "url: must not contain spaces or control"),
        ({"url": "http://example.com:s3cret/"}, "url: must have a port between 1 and 65535"),
        ({"url": "http://example.com:0/s3cret"}, "url: must have a port between 1 and 65535"),
        ({"headers": {"X-A": "a\r\ns3cret: b"}}, "headers.X-A: must be printable ASCII"),
        ({"headers": {"Content-Length": "s3cret"}}, "must be the name of a header that we do not set"),
        ({"headers": {"webhook-signature": "s3cret"}}, "must be the name of a header that we do not set"),
        ({"headers": {"X A": "s3cret"}}, "must be the name of a header that we do not set"),
        ({"auth_type": "magic"}, "auth_type: Input should be 'bearer', 'api_key' or 'basic'"),
        ({"auth_type": "bearer"}, "auth_type bearer comes without its credential"),
        ({"auth_type": "bearer", "token": "s3cret\n"}, "token: must be printable ASCII"),
        ({"secret": "s3cret!"}, "secret: must be base64"),
    ],
)
def test_a_wrong_configuration_is_named_without_its_values(config, complaint):
    with pytest.raises(NoAddress) as caught:
        payload.address_of(a_person(), config, {})

    assert complaint in str(caught.value)
    with pytest.raises(InvalidConfig) as refused:
        payload.check_config(config)
    assert str(refused.value) == str(caught.value)
    assert "s3cret" not in str(caught.value)
