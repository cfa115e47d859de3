"""The CloudEvents SDK as a partner in both directions, and the places where we are stricter than it is."""

import json
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings import http as sdk
from cloudevents.core.bindings import kafka as sdk_kafka
from cloudevents.core.v1.event import CloudEvent as SdkEvent

from self_service_agent.eventing.envelope import (
    InvalidEvent,
    UnsupportedFormat,
    from_http,
    from_kafka,
    to_binary,
    to_kafka,
    to_structured,
)
from tests.eventing.envelopes import DOCUMENT, REQUIRED, an_event

JSON = {"content-type": "application/cloudevents+json"}
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "42",
    "source": "request-manager",
    "type": "created",
    "time": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    "subject": 'request "7" 100% zoë',
    "datacontenttype": "application/json",
    "partitionkey": "s-1",
}
OURS = an_event(
    time=ATTRIBUTES["time"],
    subject=ATTRIBUTES["subject"],
    datacontenttype="application/json",
    extensions={"partitionkey": "s-1"},
    data=b'{"n":[1,2]}',
)


def theirs():
    return SdkEvent(attributes=dict(ATTRIBUTES), data={"n": [1, 2]})


@pytest.mark.parametrize("encode", [to_binary, to_structured])
def test_the_sdk_reads_what_we_write(encode):
    event = sdk.from_http_event(sdk.HTTPMessage(*encode(OURS)))

    assert (event.get_attributes(), event.get_data()) == (ATTRIBUTES, {"n": [1, 2]})


@pytest.mark.parametrize("encode", [sdk.to_binary_event, sdk.to_structured_event])
def test_we_read_what_the_sdk_writes(encode):
    message = encode(theirs())

    event = from_http(message.headers, message.body)

    assert (event.json(), an_event(**fields_of(event))) == ({"n": [1, 2]}, an_event(**fields_of(OURS)))


def test_the_sdk_reads_our_records():
    key, headers, value = to_kafka(OURS)

    event = sdk_kafka.from_kafka_event(sdk_kafka.KafkaMessage(dict(headers), key, value))

    assert (event.get_attributes(), event.get_data()) == (ATTRIBUTES, {"n": [1, 2]})


def test_we_read_records_of_the_sdk():
    message = sdk_kafka.to_binary_event(theirs())

    event = from_kafka(message.headers.items(), message.value)

    assert (event.json(), an_event(**fields_of(event))) == ({"n": [1, 2]}, an_event(**fields_of(OURS)))


def fields_of(event):
    return {name: getattr(event, name) for name in ("time", "subject", "datacontenttype", "extensions")}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({k: v for k, v in REQUIRED.items() if k != "ce-id"}, b"{}", id="an id is never invented"),
        pytest.param(REQUIRED | {"ce-note": "%FF"}, b"{}", id="broken UTF-8 is no replacement character"),
        pytest.param(REQUIRED | {"ce-note": "100%"}, b"{}", id="a lone percent"),
        pytest.param(REQUIRED | {"ce-datacontenttype": "a/b"}, b"{}", id="the content type has its own header"),
        pytest.param(JSON, json.dumps(DOCUMENT | {"note": {"a": 1}}).encode(), id="objects are no attributes"),
        pytest.param(JSON, json.dumps(DOCUMENT | {"note": 1.5}).encode(), id="floats are no attributes"),
        pytest.param(JSON, b'{"id":"1",' + json.dumps(DOCUMENT).encode()[1:], id="a member twice"),
        pytest.param(JSON, json.dumps(DOCUMENT | {"data_base64": "!AP8="}).encode(), id="sloppy base64"),
        pytest.param({"content-type": "application/cloudevents+avro"}, json.dumps(DOCUMENT).encode(), id="a format"),
    ],
)
def test_we_refuse_what_the_sdk_lets_pass(headers, body):
    assert sdk.from_http_event(sdk.HTTPMessage(headers, body)).get_type() == "created"
    with pytest.raises((InvalidEvent, UnsupportedFormat)):
        from_http(headers, body)


def test_a_time_is_invented_by_the_sdk_and_not_by_us():
    assert sdk.from_http_event(sdk.HTTPMessage(REQUIRED, b"{}")).get_time() is not None
    assert from_http(REQUIRED, b"{}").time is None


def test_a_quoted_value_is_unquoted_by_us_only():
    headers = REQUIRED | {"ce-note": '"a b"'}

    assert sdk.from_http_event(sdk.HTTPMessage(headers, b"{}")).get_extension("note") == '"a b"'
    assert from_http(headers, b"{}").extensions == {"note": "a b"}


def test_a_boolean_is_canonical_in_our_headers():
    event = SdkEvent(attributes=ATTRIBUTES | {"urgent": True})

    assert sdk.to_binary_event(event).headers["ce-urgent"] == "True"
    assert to_binary(an_event(extensions={"urgent": True}))[0]["ce-urgent"] == "true"
