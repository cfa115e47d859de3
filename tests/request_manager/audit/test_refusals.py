"""A flood of refusals is few lines, and says how many there were."""

from datetime import timedelta

import pytest

from self_service_agent.shared_models.audit.entries import AuditLine
from self_service_agent.shared_models.audit.refusals import LIMIT, LIMIT_OF_ONE, Refusals
from tests.request_manager.audit.builders import NOON, a_refusal

SECOND = timedelta(seconds=1)


@pytest.fixture
def refusals():
    numbers = iter(range(10**9))
    return Refusals(lambda entry, now: AuditLine(id=str(next(numbers)), at=now, entry=entry))


def test_the_same_refusal_within_a_minute_is_one_line(refusals):
    lines = [refusals.counted(a_refusal(), NOON + number * SECOND) for number in range(60)]

    assert {line.id for line in lines} == {"0"}
    assert [line.occurrences for line in lines] == list(range(1, 61))


def test_the_next_minute_is_another_line(refusals):
    before = refusals.counted(a_refusal(), NOON)
    after = refusals.counted(a_refusal(), NOON + 60 * SECOND)

    assert (before.id, after.id, after.occurrences) == ("0", "1", 1)


@pytest.mark.parametrize("name", ["address", "target", "reason", "action", "actor"])
def test_different_refusals_are_different_lines(refusals, name):
    first = refusals.counted(a_refusal(), NOON)
    second = refusals.counted(a_refusal(**{name: "another"}), NOON)

    assert first.id != second.id


def test_too_many_different_refusals_share_a_line(refusals):
    lines = [refusals.counted(a_refusal(address=str(number)), NOON) for number in range(10 * LIMIT)]

    assert len({line.id for line in lines}) == LIMIT + 1
    assert (lines[-1].occurrences, lines[-1].entry.address) == (9 * LIMIT, None)


def test_after_a_flood_refusals_are_told_apart_again(refusals):
    for number in range(2 * LIMIT):
        refusals.counted(a_refusal(address=str(number)), NOON)

    later = refusals.counted(a_refusal(address="another"), NOON + 60 * SECOND)

    assert (later.entry.address, later.occurrences) == ("another", 1)


def test_one_who_is_refused_in_many_ways_hides_nobody_else(refusals):
    flood = [refusals.counted(a_refusal(target=f"GET /{number}"), NOON) for number in range(2 * LIMIT)]
    other = refusals.counted(a_refusal(address="198.51.100.9", target="GET /secret"), NOON)

    assert len({line.id for line in flood}) == LIMIT_OF_ONE + 1
    assert (flood[-1].entry.address, flood[-1].entry.target) == (a_refusal().address, None)
    assert (other.entry.target, other.occurrences) == ("GET /secret", 1)
