from datetime import timedelta
from math import inf, nan

import pytest

from self_service_agent.channels.base import (
    NoAddress,
    PermanentDeliveryError,
    Receipt,
    TransientDeliveryError,
    UnknownOutcomeError,
)
from self_service_agent.integration_dispatcher.deliveries.rules import (
    Attempt,
    AttemptOutcome,
    RetryPolicy,
    Verdict,
    before_sending,
    delivered,
    failed,
    skipped,
)
from self_service_agent.shared_models.deliveries import DeliveryStatus
from tests.integration_dispatcher.builders import NOON

SLACK = RetryPolicy(max_attempts=4, delay=timedelta(seconds=60))
FIXED = RetryPolicy(max_attempts=4, delay=timedelta(seconds=60), fixed=True)
BUSY = TransientDeliveryError("busy")
LOST = UnknownOutcomeError("answer lost")


def an_attempt(**changes):
    values = {
        "number": 1,
        "policy": SLACK,
        "taken_over": False,
        "repeatable": True,
        "expires_at": NOON + timedelta(days=3),
    }
    return Attempt(**{**values, **changes})


@pytest.mark.parametrize(
    ("policy", "attempt", "error", "seconds"),
    [
        pytest.param(SLACK, 1, BUSY, 60, id="the first retry waits the base delay"),
        pytest.param(SLACK, 3, BUSY, 240, id="the delay doubles"),
        pytest.param(FIXED, 3, BUSY, 60, id="a fixed delay stays"),
        pytest.param(SLACK, 1, TransientDeliveryError("busy", retry_after=90), 90, id="a longer wish wins"),
        pytest.param(SLACK, 1, TransientDeliveryError("busy", retry_after=9), 60, id="a shorter wish does not"),
        pytest.param(SLACK, 1, TransientDeliveryError("busy", retry_after=nan), 60, id="no number is no wish"),
        pytest.param(SLACK, 1, TransientDeliveryError("busy", retry_after=inf), 30 * 86_400, id="no wish is endless"),
        pytest.param(RetryPolicy(max_attempts=99, delay=timedelta(days=1)), 98, BUSY, 86_400, id="growth ends"),
        pytest.param(SLACK, 1, LOST, 60, id="an unknown outcome is tried again"),
        pytest.param(SLACK, 4, BUSY, None, id="retries are used up"),
        pytest.param(SLACK, 1, PermanentDeliveryError("gone"), None, id="permanent failures are final"),
    ],
)
def test_next_attempt(policy, *, attempt, error, seconds):
    due = policy.next_attempt(attempt, error, now=NOON)

    assert due == (None if seconds is None else NOON + timedelta(seconds=seconds))


def test_jitter_lengthens_the_wait_by_a_tenth_at_most():
    assert SLACK.next_attempt(1, BUSY, now=NOON, jitter=1.0) == NOON + timedelta(seconds=66)


@pytest.mark.parametrize(
    ("error", "attempt", "status", "outcome"),
    [
        pytest.param(BUSY, an_attempt(), "RETRYING", "transient", id="transient"),
        pytest.param(BUSY, an_attempt(number=4), "DEAD_LETTERED", "transient", id="used up"),
        pytest.param(PermanentDeliveryError("gone"), an_attempt(), "FAILED", "permanent", id="permanent"),
        pytest.param(LOST, an_attempt(), "RETRYING", "unknown", id="unknown, the receiver knows the id"),
        pytest.param(LOST, an_attempt(repeatable=False), "UNKNOWN", "unknown", id="unknown, it does not"),
        pytest.param(LOST, an_attempt(number=4), "UNKNOWN", "unknown", id="unknown, used up"),
        pytest.param(BUSY, an_attempt(expires_at=NOON + timedelta(seconds=60)), "EXPIRED", "transient", id="too late"),
        pytest.param(BUSY, an_attempt(expires_at=None), "RETRYING", "transient", id="never too late"),
        pytest.param(NoAddress("no url"), an_attempt(), "SKIPPED", None, id="nowhere to go"),
    ],
)
def test_a_failed_attempt_means(error, *, attempt, status, outcome):
    verdict = failed(error, attempt, now=NOON)

    due = NOON + timedelta(seconds=60) if status == "RETRYING" else None
    assert verdict == Verdict(status=DeliveryStatus(status), outcome=outcome, error=str(error), retry_at=due)


@pytest.mark.parametrize(
    ("attempt", "status"),
    [
        pytest.param(an_attempt(), None, id="a first attempt is made"),
        pytest.param(an_attempt(expires_at=NOON), DeliveryStatus.EXPIRED, id="an expired one is not"),
        pytest.param(an_attempt(taken_over=True), None, id="a cut-off one is repeated"),
        pytest.param(an_attempt(number=14, taken_over=True), None, id="also beyond the retries"),
        pytest.param(an_attempt(number=15, taken_over=True), DeliveryStatus.UNKNOWN, id="but not for ever"),
        pytest.param(
            an_attempt(taken_over=True, repeatable=False), DeliveryStatus.UNKNOWN, id="nor where it would be seen twice"
        ),
    ],
)
def test_before_sending(attempt, status):
    verdict = before_sending(attempt, now=NOON)

    assert (verdict and verdict.status) == status
    assert verdict is None or verdict.outcome is None


def test_a_receipt_is_delivered():
    assert delivered(Receipt(external_id="17")) == Verdict(
        status=DeliveryStatus.DELIVERED, outcome=AttemptOutcome.DELIVERED, external_id="17"
    )


def test_what_a_provider_says_can_be_stored():
    verdict = failed(PermanentDeliveryError("a\x00b\udc80" + "c" * 2000), an_attempt(), now=NOON)

    assert verdict.error == "ab?" + "c" * 996
    assert skipped("\x00").error == ""
