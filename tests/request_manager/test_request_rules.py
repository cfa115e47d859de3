"""What becomes of a request before it is stored."""

import pytest
from pydantic import ValidationError

from self_service_agent.request_manager.requests.rules import (
    InvalidAgentId,
    InvalidIdempotencyKey,
    Wishes,
    delivery_of,
    fingerprint_of,
    integration_context_of,
    target_agent_of,
    wishes_of,
)
from self_service_agent.shared_models.requests import (
    BaseRequest,
    CLIRequest,
    DeliveryChoice,
    SlackRequest,
    ToolRequest,
    WebRequest,
)

PERSON = {"user_id": "alice.johnson", "content": "hello"}


def from_web(**changes):
    return WebRequest(**PERSON, **changes)


def from_slack(**changes):
    return SlackRequest(**PERSON, **({"slack_user_id": "U1", "slack_team_id": "T1", "channel_id": "C1"} | changes))


def from_tool(**changes):
    return ToolRequest(**PERSON, **({"tool_id": "snow-integration"} | changes))


@pytest.mark.parametrize(
    ("headers", "query", "wishes"),
    [
        ({}, {}, (False, False, None)),
        ({"prefer": "return=minimal, Respond-Async"}, {}, (True, False, None)),
        ({}, {"async": "True"}, (True, False, None)),
        ({}, {"async": "no"}, (False, False, None)),
        ({"accept": "text/event-stream, */*", "idempotency-key": "k"}, {}, (False, True, "k")),
    ],
)
def test_headers_say_how_a_caller_wants_to_be_answered(headers, query, wishes):
    asynchronous, stream, key = wishes

    assert wishes_of(headers, query) == Wishes(asynchronous=asynchronous, stream=stream, idempotency_key=key)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\x7f"])
def test_an_unusable_idempotency_key_is_refused(key):
    with pytest.raises(InvalidIdempotencyKey):
        wishes_of({"idempotency-key": key}, {})


@pytest.mark.parametrize(
    ("request_", "asynchronous", "mode", "channels"),
    [
        (from_web(), False, "reply", ()),
        (from_web(), True, "reply", ()),
        (from_web(delivery={"channels": ["EMAIL"]}), False, "reply", ("EMAIL",)),
        (from_web(delivery={"channels": ["EMAIL"]}), True, "channels", ("EMAIL",)),
        (from_web(delivery={"mode": "both"}), False, "both", ()),
        (from_slack(), True, "channels", ("SLACK",)),
        (from_slack(delivery={"mode": "reply"}), True, "reply", ("SLACK",)),
        (BaseRequest(**PERSON, integration_type="email"), False, "reply", ("EMAIL",)),
    ],
)
def test_an_answer_goes_where_its_caller_chose(request_, *, asynchronous, mode, channels):
    assert delivery_of(request_, asynchronous=asynchronous) == DeliveryChoice(mode=mode, channels=channels)


def test_a_fingerprint_tells_requests_apart():
    assert fingerprint_of(from_web()) == fingerprint_of(from_web())
    assert len({fingerprint_of(each) for each in (from_web(), from_web(session_name="x"), CLIRequest(**PERSON))}) == 3


@pytest.mark.parametrize(
    ("request_", "context"),
    [
        (from_web(metadata={"a": 1}, client_ip="::1"), {
            "platform": "web", "metadata": {"a": 1}, "client_ip": "::1", "has_session": False
        }),
        (CLIRequest(**PERSON, cli_session_id="c"), {"platform": "cli", "cli_session_id": "c", "command_context": {}}),
        (from_slack(thread_id="1.1"), {
            "platform": "slack", "channel_id": "C1", "thread_id": "1.1", "slack_user_id": "U1", "slack_team_id": "T1"
        }),
        (from_tool(), {"platform": "tool", "tool_id": "snow-integration", "tool_context": {}}),
        (BaseRequest(**PERSON, integration_type="test"), {"platform": "test"}),
    ],
)  # fmt: skip
def test_the_context_says_where_a_request_came_from(request_, context):
    assert integration_context_of(request_) == context


@pytest.mark.parametrize(
    ("request_", "agent"),
    [
        (from_web(metadata={"target_agent_id": "x"}), None),
        (from_tool(), "laptop-refresh-agent"),
        (from_tool(tool_id="unknown"), None),
        (from_tool(tool_context={"target_agent_id": "x"}), "x"),
        (from_tool(metadata={"target_agent_id": "y"}), "y"),
        (from_tool(metadata={"target_agent_id": 7}), "laptop-refresh-agent"),
    ],
)
def test_only_a_tool_chooses_its_agent(request_, agent):
    assert target_agent_of(request_) == agent


def test_a_name_too_long_for_an_agent_is_refused():
    with pytest.raises(InvalidAgentId):
        target_agent_of(from_tool(tool_context={"target_agent_id": "x" * 256}))


@pytest.mark.parametrize(
    "metadata",
    [{"a": "\0"}, {"\0": 1}, {"a": [[{"b": "\0"}]]}, {"a": 2**63}, {"a": -(2**63) - 1}, {"a": [2**64]}],
)
def test_metadata_that_cannot_be_stored_is_refused(metadata):
    with pytest.raises(ValidationError):
        from_web(metadata=metadata)


@pytest.mark.parametrize(("levels", "fits"), [(31, True), (32, False), (1_000, False)])
def test_metadata_may_be_nested_31_levels_deep(levels, fits):
    nested = 1
    for _ in range(levels):
        nested = {"a": nested}

    try:
        from_web(metadata=nested)
    except ValidationError:
        assert not fits
    else:
        assert fits
