"""What is sent, what comes back, and when it is worth trying again."""

import pytest

from self_service_agent.shared_clients import protocol
from self_service_agent.shared_clients.errors import (
    Busy,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    ServerFault,
    Unauthenticated,
)
from self_service_agent.shared_clients.protocol import Final, Later, StatusChanged, Token
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import DeliveryChoice, DeliveryMode, RequestStatus

from .answers import ACCEPTED, ANSWER


def test_a_request_says_who_asks_what_and_what_else_was_named():
    delivery = DeliveryChoice(mode=DeliveryMode.BOTH, channels=(IntegrationType.EMAIL,))

    body = protocol.request_body(
        "hello",
        {"delivery": delivery, "idempotency_key": "k"},
        user_id="alice",
        integration_type="WEB",
        metadata={"client_ip": "192.168.1.100"},
    )

    assert body == {
        "user_id": "alice",
        "content": "hello",
        "integration_type": "WEB",
        "metadata": {"client_ip": "192.168.1.100"},
        "delivery": {"mode": "both", "channels": ["EMAIL"]},
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (410, Gone),
        (422, Invalid),
        (429, Busy),
        (500, ServerFault),
        (502, ServerFault),
        (503, Busy),
    ],
)
def test_every_refusal_has_its_type(status, kind):
    refused = protocol.refusal(status, b'{"detail": "because", "error_code": "X"}', retry_after="7")

    assert type(refused) is kind
    assert (str(refused), refused.status, refused.retry_after) == ("because", status, 7.0)
    assert refused.problem["error_code"] == "X"


@pytest.mark.parametrize("content", [b"", b"<html>bad gateway</html>", b"[1]", b"\xff"])
def test_an_error_page_is_a_refusal_too(content):
    refused = protocol.refusal(502, content, retry_after="soon")

    assert (str(refused), refused.problem, refused.retry_after) == ("HTTP 502", {}, None)


@pytest.mark.parametrize(
    ("status", "attempt", "retry_after", "seconds"),
    [
        pytest.param(None, 1, None, 0.2, id="a lost line is tried again"),
        pytest.param(None, 2, None, 0.4, id="after a longer wait"),
        pytest.param(None, 3, None, None, id="and not for ever"),
        pytest.param(503, 1, None, 0.2, id="a busy server too"),
        pytest.param(429, 1, 3.0, 3.0, id="when it says"),
        pytest.param(429, 1, 60.0, None, id="unless that is too long"),
        pytest.param(502, 1, None, 0.2, id="a gateway in between too"),
        pytest.param(500, 1, None, None, id="a fault stays a fault"),
        pytest.param(422, 1, None, None, id="and a wrong request a wrong request"),
    ],
)
def test_next_wait(status, attempt, *, retry_after, seconds):
    assert protocol.next_wait(status, attempt, retry_after=retry_after, random=0.5) == seconds


@pytest.mark.parametrize(
    ("kind", "data", "event"),
    [
        (
            "status",
            '{"request_id": "r1", "status": "processing", "more": 1}',
            StatusChanged(request_id="r1", status=RequestStatus.PROCESSING),
        ),
        ("token", '{"text": "Hello "}', Token(text="Hello ")),
        ("final", ANSWER.model_dump_json(), Final(answer=ANSWER)),
        ("accepted", ACCEPTED.model_dump_json(), Later(accepted=ACCEPTED)),
        ("surprise", "{}", None),
    ],
)
def test_read_event(kind, data, event):
    assert protocol.read_event(kind, data) == event


def test_an_answer_can_be_read_like_its_document():
    assert ANSWER["status"] == "completed"
    assert ANSWER["response"]["content"] == "Hello there."
