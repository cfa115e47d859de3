from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from self_service_agent.kit.http.headers import retry_after

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        (format_datetime(NOON + timedelta(seconds=90), usegmt=True), 90.0),
        ("Fri, 20 Nov 2026 12:00:30 -0000", 30.0),
        ("Friday, 20-Nov-26 12:00:45 GMT", 45.0),
        (format_datetime(NOON - timedelta(days=1), usegmt=True), 0.0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("1e9", None),
        ("inf", None),
        ("٣", None),
        ("99999999999999999999", None),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after({"Retry-After": value}, now=NOON) == seconds


def test_without_the_header_nothing_is_asked():
    assert retry_after({}, now=NOON) is None


@given(st.text())
def test_any_text_is_read_without_an_error(value):
    wish = retry_after({"Retry-After": value}, now=NOON)

    assert wish is None or wish >= 0
