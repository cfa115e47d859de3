"""Each caller keeps to its limits by itself, and hears how it stands."""

import pytest

from self_service_agent.kit.http.answers import ANSWER_HEADERS
from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.admission.callers import Callers, leave
from self_service_agent.request_manager.admission.rules import Limits, rate_of


def limited(*, burst=None, in_flight=0):
    rate = None if burst is None else rate_of(6, burst)
    return Callers(Limits(rate=rate, per_day=0, in_flight=in_flight), quotas=None)


async def asked(callers, caller):
    """Ask once and return the scope, and the problem if there is one."""
    scope = {}
    try:
        await callers.admit(scope, caller)
    except Problem as problem:
        return scope, problem
    return scope, None


async def test_a_caller_past_its_rate_hears_how_long_to_wait():
    callers = limited(burst=2)

    answers = [await asked(callers, "alice") for _ in range(3)]
    scope, problem = answers[-1]

    assert [refused is None for _, refused in answers] == [True, True, False]
    assert problem.status == 429
    assert problem.headers == {"retry-after": "10"}
    assert problem.extra == {"violated-policies": ["rate"]}
    assert scope[ANSWER_HEADERS] == [(b"ratelimit-policy", b'"rate";q=2;w=20'), (b"ratelimit", b'"rate";r=0;t=20')]
    assert (await asked(callers, "bob"))[1] is None


async def test_a_caller_past_what_may_be_in_flight_is_let_in_as_soon_as_something_is_over():
    callers = limited(in_flight=2)
    (first, _), _ = [await asked(callers, "alice") for _ in range(2)]

    refused, problem = await asked(callers, "alice")
    leave(refused)
    _, again = await asked(callers, "alice")
    leave(first)

    assert problem.extra == again.extra == {"violated-policies": ["in-flight"]}
    assert (await asked(callers, "alice"))[1] is None
    assert (await asked(callers, "bob"))[1] is None


async def test_nothing_is_remembered_of_callers_that_are_through():
    callers = limited(in_flight=2)
    scopes = [(await asked(callers, caller))[0] for caller in "aab"]

    for scope in scopes:
        leave(scope)

    assert callers.in_flight == 0


async def test_without_limits_nothing_is_said():
    scope, problem = await asked(limited(), "alice")

    assert (scope, problem) == ({}, None)


def test_a_request_that_was_never_let_in_can_leave():
    leave({})


@pytest.mark.parametrize("burst", [1, 5])
async def test_a_refused_request_costs_no_token(burst):
    callers = limited(burst=burst, in_flight=burst)
    scopes = [(await asked(callers, "alice"))[0] for _ in range(burst)]

    _, in_flight = await asked(callers, "alice")
    leave(scopes[0])
    _, rate = await asked(callers, "alice")

    assert in_flight.extra["violated-policies"] == ["in-flight"]
    assert rate.extra["violated-policies"] == ["rate"]
