"""Batched CloudEvents, taken only where a batch is asked for."""

import json

import pytest

from self_service_agent.eventing.envelope import InvalidEvent, UnsupportedFormat, from_http_batch, to_batch
from tests.eventing.envelopes import DOCUMENT, a_full_event, an_event

JSON = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


def document(**changes):
    return json.dumps(DOCUMENT | changes).encode()


def test_a_batch_is_accepted_on_the_batch_door():
    events = (an_event(id="1"), a_full_event(id="2"))

    assert from_http_batch(*to_batch(events)) == events


def test_an_empty_batch_is_accepted():
    assert from_http_batch(BATCH, b"[]") == ()


def test_one_bad_event_refuses_the_whole_batch_and_is_named():
    with pytest.raises(InvalidEvent, match="event 1 of the batch: id is missing or empty"):
        from_http_batch(BATCH, b"[" + document() + b"," + document(id="") + b"]")


@pytest.mark.parametrize("body", [b"{}", b"null", b"[1]", b"[[]]", b"", b"["])
def test_a_batch_that_is_no_list_of_events_is_refused(body):
    with pytest.raises(InvalidEvent):
        from_http_batch(BATCH, body)


@pytest.mark.parametrize("headers", [{}, JSON, {"content-type": "application/json"}])
def test_a_single_event_is_not_supported_on_the_batch_door(headers):
    with pytest.raises(UnsupportedFormat):
        from_http_batch(headers, document())
