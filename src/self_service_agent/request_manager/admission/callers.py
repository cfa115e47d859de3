"""The limits of one kind of caller, people or tools; every caller has them for itself."""

import math
import time
from http import HTTPStatus

from starlette.types import Scope

from self_service_agent.kit.http.answers import ANSWER_HEADERS
from self_service_agent.kit.problems import Problem

from . import rules
from .buckets import Buckets
from .quotas import Quotas
from .rules import Limits

_SLOT = "admission_slot"
_STANDING = b"ratelimit"
_QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
_WORDS = {
    "rate": "This is more requests than are taken in so short a time.",
    "day": "The requests of this day are used up.",
    "in-flight": "Too many requests are still waiting for their answers.",
}


class Callers:
    """Admits requests as long as their callers keep within their limits; without `quotas` a day is not limited."""

    def __init__(self, limits: Limits, *, quotas: Quotas | None) -> None:
        said = rules.policies(limits)
        self._policies = (b"ratelimit-policy", said) if said else None
        self._most_in_flight = limits.in_flight
        self._buckets = None if limits.rate is None else Buckets(limits.rate)
        self._quotas = quotas
        self._in_flight: dict[str, int] = {}

    @property
    def in_flight(self) -> int:
        """How many requests are in flight."""
        return sum(self._in_flight.values())

    async def admit(self, scope: Scope, caller: str) -> None:
        """Let a request in, or raise the `Problem` that says why not; its answer will say how the caller stands.

        It is in flight until `leave` is called with the same scope.
        """
        if not self._policies:
            return
        scope[ANSWER_HEADERS] = headers = [self._policies]
        if self._most_in_flight:
            self._enter(scope, caller)
        if self._buckets is not None:
            standing, wait = self._buckets.take(caller, now=time.monotonic())
            headers.append((_STANDING, standing))
            if wait:
                raise _too_many("rate", wait)
        if self._quotas is not None:
            standing, wait = await self._quotas.use(caller)
            headers.append((_STANDING, standing))
            if wait:
                raise _too_many("day", wait)

    def _enter(self, scope: Scope, caller: str) -> None:
        open_requests = self._in_flight.get(caller, 0)
        if open_requests >= self._most_in_flight:
            raise _too_many("in-flight", 1)
        self._in_flight[caller] = open_requests + 1
        scope[_SLOT] = (self._in_flight, caller)


def leave(scope: Scope) -> None:
    """Note that a request is over, however it ended."""
    slot = scope.get(_SLOT)
    if slot is None:
        return
    in_flight, caller = slot
    if in_flight[caller] == 1:
        del in_flight[caller]
    else:
        in_flight[caller] -= 1


def _too_many(policy: str, wait: float) -> Problem:
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        _WORDS[policy],
        type=_QUOTA_EXCEEDED,
        headers={"retry-after": str(math.ceil(wait))},
        extra={"violated-policies": [policy]},
    )
