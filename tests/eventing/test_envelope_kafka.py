"""CloudEvents on Kafka records."""

import json

import pytest

from self_service_agent.eventing.envelope import InvalidEvent, UnsupportedFormat, from_kafka, to_kafka
from tests.eventing.envelopes import DOCUMENT, a_full_event, an_event

REQUIRED = [("ce_specversion", b"1.0"), ("ce_id", b"42"), ("ce_source", b"request-manager"), ("ce_type", b"created")]


def test_attributes_are_headers_and_the_partition_key_is_the_key():
    event = an_event(
        datacontenttype="text/csv", extensions={"partitionkey": "zoë 1", "urgent": True, "n": 5}, data=b"a,b"
    )

    assert to_kafka(event) == (
        "zoë 1".encode(),
        [
            *REQUIRED,
            ("ce_partitionkey", "zoë 1".encode()),
            ("ce_urgent", b"true"),
            ("ce_n", b"5"),
            ("content-type", b"text/csv"),
        ],
        b"a,b",
    )


def test_without_data_there_is_no_value_and_without_partition_key_no_key():
    assert to_kafka(an_event()) == (None, REQUIRED, None)
    assert from_kafka(REQUIRED, None) == an_event()


def test_empty_data_is_not_absent_data():
    assert from_kafka(REQUIRED, b"") == an_event(data=b"")


def test_a_record_returns_the_event():
    event = a_full_event(extensions={"userid": 'zoë "z" 100%'})
    _, headers, value = to_kafka(event)

    assert from_kafka([*headers, ("trace", b"\xff")], value) == event


def test_a_structured_record_returns_the_event():
    headers = [("content-type", b"Application/CloudEvents+JSON; charset=UTF-8"), ("ce_id", b"other")]

    assert from_kafka(headers, json.dumps(DOCUMENT).encode()) == an_event()


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        pytest.param(REQUIRED[1:], b"", id="no specversion"),
        pytest.param([*REQUIRED, ("ce_id", b"43")], b"", id="a header twice"),
        pytest.param([*REQUIRED, ("ce_note", b"\xff")], b"", id="no UTF-8"),
        pytest.param([*REQUIRED, ("ce_user-id", b"x")], b"", id="a bad name"),
        pytest.param([*REQUIRED, ("ce_datacontenttype", b"a/b")], b"", id="a datacontenttype header"),
        pytest.param([("content-type", b"application/cloudevents+json")], None, id="structured without value"),
    ],
)
def test_a_bad_record_is_refused(headers, value):
    with pytest.raises(InvalidEvent):
        from_kafka(headers, value)


def test_an_unknown_format_is_not_supported():
    with pytest.raises(UnsupportedFormat):
        from_kafka([("content-type", b"application/cloudevents+avro")], b"")


def test_an_event_in_an_event_does_not_travel_as_a_binary_record():
    with pytest.raises(InvalidEvent):
        to_kafka(an_event(datacontenttype="application/cloudevents+json", data=b"{}"))
