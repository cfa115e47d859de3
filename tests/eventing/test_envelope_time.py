"""RFC 3339 timestamps, the only spelling of `time`."""

from datetime import UTC, datetime

import pytest

from self_service_agent.eventing.envelope import InvalidEvent, from_http, to_binary
from tests.eventing.envelopes import REQUIRED


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02t03:04:05z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.5Z", datetime(2026, 1, 2, 3, 4, 5, 500000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05-00:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_read_and_written_as_it_came(text, moment):
    event = from_http(REQUIRED | {"ce-time": text}, b"")

    assert event.time == moment
    assert to_binary(event)[0]["ce-time"] == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05+2:00",
        "2026-01-02T03:04:05+24:00",
        "2026-02-30T03:04:05Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "20260102T030405Z",
        "2026-W01-1T00:00:00Z",
        "٢٠٢٦-01-02T03:04:05Z",
        "1767322800",
    ],
)
def test_another_spelling_of_time_is_refused(text):
    with pytest.raises(InvalidEvent):
        from_http(REQUIRED | {"ce-time": text}, b"")
