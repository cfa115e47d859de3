"""Decides what becomes of a delivery after an attempt, or without one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from self_service_agent.channels.base import (
    DeliveryError,
    NoAddress,
    Receipt,
    TransientDeliveryError,
    UnknownOutcomeError,
)
from self_service_agent.shared_models.deliveries import DeliveryStatus

_JITTER = 0.1
_LONGEST_GROWN_WAIT = 6 * 3600.0
_LONGEST_WISH = 30 * 86_400.0
_LONGEST_ERROR = 1000
_LONGEST_EXTERNAL_ID = 255
# A worker that dies is no fault of the provider's, and most of what it had claimed was not even begun; a delivery that
# kills its worker must end all the same.
_CRASHES = 10


class AttemptOutcome(StrEnum):
    DELIVERED = "delivered"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Where a delivery stands from now on; without an outcome, nothing was tried."""

    status: DeliveryStatus
    outcome: AttemptOutcome | None = None
    error: str | None = None
    retry_at: datetime | None = None
    external_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often one delivery is tried; `delay` doubles with every attempt unless it is `fixed`."""

    max_attempts: int
    delay: timedelta
    fixed: bool = False

    def next_attempt(
        self, attempt: int, error: DeliveryError, *, now: datetime, jitter: float = 0.0
    ) -> datetime | None:
        """Return when to try again after failed attempt number `attempt`, or None when that was the last.

        `jitter` from 0 to 1 lengthens the wait by up to a tenth; the provider's wish counts if it is longer.
        """
        if attempt >= self.max_attempts or not isinstance(error, TransientDeliveryError):
            return None
        wait = self._wait(attempt) * (1 + _JITTER * jitter)
        return now + timedelta(seconds=max(wait, min(error.retry_after or 0.0, _LONGEST_WISH)))

    def _wait(self, attempt: int) -> float:
        delay = self.delay.total_seconds()
        if self.fixed:
            return delay
        return min(delay * 2.0 ** min(attempt - 1, 30), max(delay, _LONGEST_GROWN_WAIT))


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt, by what decides about the next: its number, and what repeating it would mean."""

    number: int
    policy: RetryPolicy
    taken_over: bool
    repeatable: bool
    expires_at: datetime | None


def delivered(receipt: Receipt) -> Verdict:
    return Verdict(
        status=DeliveryStatus.DELIVERED,
        outcome=AttemptOutcome.DELIVERED,
        external_id=receipt.external_id and _storable(receipt.external_id, _LONGEST_EXTERNAL_ID),
    )


def skipped(reason: str) -> Verdict:
    return Verdict(status=DeliveryStatus.SKIPPED, error=_storable(reason, _LONGEST_ERROR))


def before_sending(attempt: Attempt, *, now: datetime) -> Verdict | None:
    """Return the verdict on a delivery that must not be sent any more, else None."""
    if attempt.expires_at is not None and now >= attempt.expires_at:
        return Verdict(status=DeliveryStatus.EXPIRED, error="expired before it could be delivered")
    if attempt.taken_over and not attempt.repeatable:
        return Verdict(status=DeliveryStatus.UNKNOWN, error="the attempt was cut off and may have succeeded")
    if attempt.number > attempt.policy.max_attempts + _CRASHES:
        return Verdict(status=DeliveryStatus.UNKNOWN, error="every attempt was cut off")
    return None


def failed(error: DeliveryError, attempt: Attempt, *, now: datetime, jitter: float = 0.0) -> Verdict:
    """Return what a failed attempt means for its delivery."""
    message = _storable(str(error), _LONGEST_ERROR)
    if isinstance(error, NoAddress):
        return Verdict(status=DeliveryStatus.SKIPPED, error=message)
    outcome = _outcome(error)
    retry_at = _retry_at(error, attempt, now=now, jitter=jitter)
    if retry_at is None:
        return Verdict(status=_end(outcome), outcome=outcome, error=message)
    if attempt.expires_at is not None and retry_at >= attempt.expires_at:
        return Verdict(status=DeliveryStatus.EXPIRED, outcome=outcome, error=message)
    return Verdict(status=DeliveryStatus.RETRYING, outcome=outcome, error=message, retry_at=retry_at)


def _outcome(error: DeliveryError) -> AttemptOutcome:
    match error:
        case UnknownOutcomeError():
            return AttemptOutcome.UNKNOWN
        case TransientDeliveryError():
            return AttemptOutcome.TRANSIENT
        case _:
            return AttemptOutcome.PERMANENT


def _retry_at(error: DeliveryError, attempt: Attempt, *, now: datetime, jitter: float) -> datetime | None:
    if isinstance(error, UnknownOutcomeError) and not attempt.repeatable:
        return None
    return attempt.policy.next_attempt(attempt.number, error, now=now, jitter=jitter)


def _end(outcome: AttemptOutcome) -> DeliveryStatus:
    match outcome:
        case AttemptOutcome.UNKNOWN:
            return DeliveryStatus.UNKNOWN
        case AttemptOutcome.TRANSIENT:
            return DeliveryStatus.DEAD_LETTERED
        case _:
            return DeliveryStatus.FAILED


def _storable(text: str, limit: int) -> str:
    """Return the start of what a provider said, without what PostgreSQL cannot store."""
    return text[:limit].replace("\x00", "").encode(errors="replace").decode()
