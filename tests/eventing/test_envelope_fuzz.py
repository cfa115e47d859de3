"""The codec is total: any bytes give an event or one of two errors, and any event comes back as it was."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from self_service_agent.eventing.envelope import (
    CloudEvent,
    EnvelopeError,
    from_http,
    from_http_batch,
    from_kafka,
    to_batch,
    to_binary,
    to_kafka,
    to_structured,
)
from tests.eventing.envelopes import DOCUMENT, REQUIRED, events

NAMES = [*(name.removeprefix("ce-") for name in REQUIRED), "time", "subject", "datacontenttype", "data", "data_base64"]
CONTENT_TYPES = ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "text/plain"]

raw_headers = st.lists(
    st.tuples(st.sampled_from([f"ce-{name}".encode() for name in NAMES]) | st.binary(), st.binary()), max_size=12
)
text_headers = st.dictionaries(
    st.sampled_from([*REQUIRED, "ce-time", "content-type"]) | st.text(),
    st.text() | st.sampled_from(["1.0", "%", '"', *CONTENT_TYPES]),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
documents = st.dictionaries(st.sampled_from(NAMES) | st.text(), json_values).map(
    lambda members: json.dumps(DOCUMENT | members).encode()
)


def outcome(read, *message):
    try:
        return read(*message)
    except EnvelopeError as error:
        return error


def meaning(event):
    """Return what must survive a document: attributes, and JSON by value or other data by its bytes."""
    is_json = event.data is not None and event.datacontenttype == "application/json"
    value = outcome(event.json) if is_json else event.data
    return replace(event, data=None), event.data if isinstance(value, EnvelopeError) else value


def in_text(event):
    """Return the event with its extensions as text, which is how headers carry them."""
    texts = {name: json.dumps(value) for name, value in event.extensions.items() if not isinstance(value, str)}
    return replace(event, extensions={**event.extensions, **texts})


@given(raw_headers, st.binary(), st.booleans())
def test_any_raw_headers_give_an_event_or_a_refusal(headers, body, complete):
    headers += [(name.encode(), value.encode()) for name, value in REQUIRED.items()] if complete else []

    assert isinstance(outcome(from_http, headers, body), CloudEvent | EnvelopeError)
    assert isinstance(outcome(from_http_batch, headers, body), tuple | EnvelopeError)


@given(text_headers, st.binary() | documents)
def test_any_text_headers_give_an_event_or_a_refusal(headers, body):
    assert isinstance(outcome(from_http, REQUIRED | headers, body), CloudEvent | EnvelopeError)


@given(documents)
def test_any_document_gives_an_event_that_can_be_written_or_a_refusal(body):
    event = outcome(from_http, {"content-type": "application/cloudevents+json"}, body)

    if isinstance(event, CloudEvent):
        assert from_http(*to_structured(event)) == event


@given(
    st.lists(st.tuples(st.text() | st.sampled_from(["ce_id", "content-type"]), st.binary())), st.none() | st.binary()
)
def test_any_record_gives_an_event_or_a_refusal(headers, value):
    assert isinstance(outcome(from_kafka, headers, value), CloudEvent | EnvelopeError)


@given(st.lists(events, max_size=3))
def test_documents_give_back_what_they_were_written_from(batch):
    decoded = from_http_batch(*to_batch(batch))

    assert [meaning(event) for event in decoded] == [meaning(event) for event in batch]


@given(events)
def test_headers_give_back_what_they_were_written_from(event):
    _, headers, value = to_kafka(event)

    assert from_http(*to_binary(event)) == in_text(event)
    assert from_kafka(headers, value) == in_text(event)
