"""The event value: what can be built, and what it says about itself."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from self_service_agent.eventing.envelope import InvalidEvent, to_binary
from tests.eventing.envelopes import a_full_event, an_event


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"id": ""}, id="an empty id"),
        pytest.param({"source": ""}, id="an empty source"),
        pytest.param({"type": ""}, id="an empty type"),
        pytest.param({"subject": ""}, id="an empty subject"),
        pytest.param({"dataschema": ""}, id="an empty dataschema"),
        pytest.param({"id": "a\x00b"}, id="NUL"),
        pytest.param({"id": "a\x85b"}, id="a C1 control"),
        pytest.param({"subject": "a\r\nset-cookie: b"}, id="a line break"),
        pytest.param({"extensions": {"userid": "\ud800"}}, id="a surrogate"),
        pytest.param({"extensions": {"userid": "\ufdd0"}}, id="a noncharacter"),
        pytest.param({"extensions": {"userid": "\U0001ffff"}}, id="a noncharacter of a higher plane"),
        pytest.param({"extensions": {"userId": "x"}}, id="a capital in a name"),
        pytest.param({"extensions": {"user_id": "x"}}, id="an underscore in a name"),
        pytest.param({"extensions": {"": "x"}}, id="an empty name"),
        pytest.param({"extensions": {"type": "x"}}, id="a name that is taken"),
        pytest.param({"extensions": {"data": "x"}}, id="the name data"),
        pytest.param({"extensions": {"n": 2**31}}, id="an integer beyond 32 bits"),
        pytest.param({"extensions": {"n": -(2**31) - 1}}, id="an integer below 32 bits"),
        pytest.param({"extensions": {"n": 1.0}}, id="a float"),
        pytest.param({"extensions": {"n": None}}, id="null"),
        pytest.param({"datacontenttype": "json"}, id="no media type"),
        pytest.param({"datacontenttype": "text/plain\r\nx: y"}, id="a line break in the media type"),
        pytest.param({"time": datetime(2026, 1, 1)}, id="a naive time"),  # noqa: DTZ001  # the point of the case
    ],
)
def test_an_event_against_the_rules_cannot_be_built(changes):
    with pytest.raises(InvalidEvent):
        an_event(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"extensions": {"a" * 40: "long names are legal"}}, id="a name over 20 characters"),
        pytest.param({"extensions": {"empty": ""}}, id="an empty extension"),
        pytest.param({"extensions": {"n": 2**31 - 1, "m": -(2**31)}}, id="integers at both ends"),
        pytest.param({"subject": "non-breaking\u00a0space \u2028 🙂"}, id="text beyond ASCII"),
        pytest.param({"datacontenttype": "application/json; charset=utf-8"}, id="a parameter"),
    ],
)
def test_an_event_within_the_rules_can_be_built(changes):
    event = an_event(**changes)

    assert all(getattr(event, name) == value for name, value in changes.items())


def test_data_reads_as_json():
    assert a_full_event().json() == {"n": 1}


@pytest.mark.parametrize("data", [None, b"", b"{", b"\xff", b'{"n":NaN}'])
def test_data_that_is_not_json_is_refused(data):
    with pytest.raises(InvalidEvent):
        an_event(data=data).json()


def test_our_own_time_is_written_in_utc():
    noon = datetime(2026, 1, 2, 12, tzinfo=timezone(timedelta(hours=2)))

    headers, _ = to_binary(an_event(time=noon))

    assert headers["ce-time"] == "2026-01-02T10:00:00Z"


def test_a_new_time_is_not_written_in_the_old_words():
    event = an_event(time=datetime(2026, 1, 2, tzinfo=UTC), time_as_written="2025-12-31T00:00:00.000Z")

    headers, _ = to_binary(event)

    assert headers["ce-time"] == "2026-01-02T00:00:00Z"
