"""What is sent, and what comes back."""

import pytest

from self_service_agent.shared_clients import protocol
from self_service_agent.shared_clients.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    RateLimited,
    ServerFault,
    Unauthenticated,
    Unavailable,
    Unintelligible,
)
from self_service_agent.shared_clients.protocol import Answer, Final, Later, StatusChanged, Token, ToolProgress
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
        (409, Conflict),
        (410, Gone),
        (422, Invalid),
        (429, RateLimited),
        (500, ServerFault),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
    ],
)
def test_every_refusal_has_its_type(status, kind):
    refused = protocol.refusal(status, b'{"detail": "because", "error_code": "X"}', retry_after=7.0)

    assert type(refused) is kind
    assert (str(refused), refused.status, refused.retry_after) == ("because", status, 7.0)
    assert refused.problem["error_code"] == "X"


@pytest.mark.parametrize("content", [b"", b"<html>bad gateway</html>", b"[1]", b"\xff"])
def test_an_error_page_is_a_refusal_too(content):
    refused = protocol.refusal(502, content, retry_after=None)

    assert (str(refused), refused.problem, refused.retry_after) == ("HTTP 502", {}, None)


@pytest.mark.parametrize(
    ("kind", "data", "event"),
    [
        (
            "status",
            '{"request_id": "r1", "status": "processing", "more": 1}',
            StatusChanged(request_id="r1", status=RequestStatus.PROCESSING),
        ),
        (
            "tool",
            '{"tool": "look_up", "label": "Look up", "state": "started"}',
            ToolProgress(tool="look_up", label="Look up", state="started"),
        ),
        ("token", '{"text": "Hello "}', Token(text="Hello ")),
        ("final", ANSWER.model_dump_json(), Final(answer=ANSWER)),
        ("accepted", ACCEPTED.model_dump_json(), Later(accepted=ACCEPTED)),
        ("surprise", "{}", None),
    ],
)
def test_read_event(kind, data, event):
    assert protocol.read_event(kind, data) == event


@pytest.mark.parametrize("content", [b"", b"<html>please log in</html>", b'{"request_id": "r1"}'])
def test_what_is_no_answer_is_not_taken_for_one(content):
    with pytest.raises(Unintelligible):
        protocol.read(Answer, content)


@pytest.mark.parametrize("name", ["a/b", "..", "a b", "?x"])
def test_an_id_cannot_lead_elsewhere(name):
    assert protocol.path_of(name).removeprefix("/api/v1/requests/").isprintable()
    assert not set("/? ") & set(protocol.path_of(name).removeprefix("/api/v1/requests/"))


def test_an_answer_can_be_read_like_its_document():
    assert ANSWER["status"] == "completed"
    assert ANSWER["response"]["content"] == "Hello there."
