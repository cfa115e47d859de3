"""Every caller has a bucket, and only so many are remembered."""

import pytest

from self_service_agent.request_manager.admission.buckets import Buckets
from self_service_agent.request_manager.admission.rules import rate_of


@pytest.fixture
def buckets():
    return Buckets(rate_of(60, 2), remembered=3)


def test_one_callers_bucket_is_nobody_elses(buckets):
    waits = [buckets.take(caller, now=5)[1] for caller in ("a", "a", "a", "b")]

    assert waits == [0, 0, 1, 0]


def test_who_is_refused_loses_nothing_by_asking(buckets):
    for _ in range(10):
        buckets.take("a", now=5)

    assert buckets.take("a", now=6)[1] == 0


def test_the_caller_that_was_away_longest_is_forgotten_first(buckets):
    for caller in "aabbcad":
        buckets.take(caller, now=5)

    assert len(buckets) == 3
    assert buckets.take("b", now=5) == (b'"rate";r=1;t=1', 0)
    assert buckets.take("a", now=5)[1] > 0
