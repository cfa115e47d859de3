"""Buckets let through what they say, and a loop is behind when it is late twice."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from self_service_agent.request_manager.admission.rules import (
    Limits,
    day_of,
    is_behind,
    policies,
    rate_of,
    seconds_left,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def taken(rate, moments):
    """Take a token at each moment that allows it, and return these moments."""
    full_at, let_in = 0.0, []
    for now in moments:
        after, wait = rate.draw(full_at, now=now)
        if not wait:
            full_at = after
            let_in.append(now)
    return let_in


@given(
    per_minute=st.integers(1, 6000),
    burst=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=200),
)
def test_no_stretch_of_time_sees_more_than_the_burst_and_what_came_in_since(per_minute, burst, gaps):
    rate = rate_of(per_minute, burst)
    moments = [1e6 + sum(gaps[: place + 1]) for place in range(len(gaps))]

    let_in = taken(rate, moments)

    for first in range(len(let_in)):
        for last in range(first, len(let_in)):
            assert last - first + 1 <= burst + (let_in[last] - let_in[first]) * per_minute / 60 + 0.01


@given(per_minute=st.integers(1, 6000), burst=st.integers(1, 50), times=st.integers(1, 60))
def test_who_waits_as_long_as_it_is_told_is_let_in(per_minute, burst, times):
    rate, now, full_at = rate_of(per_minute, burst), 1e6, 0.0
    for _ in range(times):
        after, wait = rate.draw(full_at, now=now)
        if wait:
            now += wait
            after, wait = rate.draw(full_at, now=now)
        assert wait == 0
        full_at = after


@pytest.mark.parametrize(
    ("spent", "later", "standing"),
    [
        (0, 0, b'"rate";r=100;t=0'),
        (1, 0, b'"rate";r=99;t=1'),
        (100, 0, b'"rate";r=0;t=10'),
        (100, 0.05, b'"rate";r=0;t=10'),
        (100, 0.1, b'"rate";r=1;t=10'),
        (100, 5, b'"rate";r=50;t=5'),
    ],
)
def test_a_bucket_says_what_is_left_and_when_it_is_full(spent, later, standing):
    rate, full_at = rate_of(600, 100), 1000.0
    for _ in range(spent):
        full_at, _ = rate.draw(full_at, now=1000.0)

    assert rate.standing(full_at, now=1000 + later) == standing


@pytest.mark.parametrize(
    ("rate", "per_day", "in_flight", "said"),
    [
        (rate_of(600, 100), 0, 0, b'"rate";q=100;w=10'),
        (rate_of(60_000, 10), 0, 0, b'"rate";q=10;w=1'),
        (None, 50, 0, b'"day";q=50;w=86400'),
        (rate_of(60, 10), 50, 4, b'"rate";q=10;w=10, "day";q=50;w=86400, "in-flight";q=4;qu="concurrent-requests"'),
        (rate_of(0, 10), 0, 0, b""),
    ],
)
def test_the_limits_are_said(rate, per_day, in_flight, said):
    assert policies(Limits(rate=rate, per_day=per_day, in_flight=in_flight)) == said


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (NOON, 43_200),
        (NOON.replace(hour=0), 86_400),
        (NOON.replace(hour=23, minute=59, second=59, microsecond=999_999), 1),
        (NOON.astimezone(timezone(timedelta(hours=14))), 43_200),
    ],
)
def test_the_day_is_that_of_utc(now, seconds):
    assert seconds_left(now) == seconds
    assert day_of(now) == NOON.replace(hour=0)


@pytest.mark.parametrize(
    ("before", "latest", "present", "expected"),
    [
        pytest.param(0, 0, 0, False, id="on time"),
        pytest.param(0, 2, 0, False, id="one pause"),
        pytest.param(2, 0, 0, False, id="over again"),
        pytest.param(0, 0, 2, False, id="the first time"),
        pytest.param(2, 2, 0, True, id="twice running"),
        pytest.param(0, 2, 2, True, id="and again at this moment"),
    ],
)
def test_a_loop_is_behind_when_its_timer_is_late_twice_running(before, latest, present, expected):
    assert is_behind(before=before, latest=latest, present=present, patience=1) is expected
