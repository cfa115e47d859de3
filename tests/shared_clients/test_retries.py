"""When it is worth trying again, and how long that is waited for."""

import pytest

from self_service_agent.shared_clients.retries import Retries

RETRIES = Retries(attempts=4, first_wait_seconds=1, longest_wait_seconds=3, total_seconds=60)


@pytest.mark.parametrize(
    ("attempt", "retry_after", "elapsed", "random", "seconds"),
    [
        pytest.param(1, None, 0, 1, 1, id="the first wait"),
        pytest.param(2, None, 0, 1, 2, id="is doubled"),
        pytest.param(3, None, 0, 1, 3, id="up to the longest"),
        pytest.param(3, None, 0, 0.5, 1.5, id="anything up to that is random"),
        pytest.param(3, None, 0, 0, 0, id="down to nothing"),
        pytest.param(4, None, 0, 1, None, id="the last attempt"),
        pytest.param(1, 3.0, 0, 0.5, 3.5, id="the service is not asked before it wants to be"),
        pytest.param(1, 3.1, 0, 0, None, id="unless that is too long"),
        pytest.param(1, None, 59.9, 1, None, id="the time is over"),
    ],
)
def test_next_wait(attempt, *, retry_after, elapsed, random, seconds):
    assert RETRIES.next_wait(attempt, retry_after=retry_after, elapsed=elapsed, random=random) == seconds
