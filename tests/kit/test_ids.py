"""Identifiers: in the order in which they were made, or the same whenever they are derived."""

import time
import uuid

from self_service_agent.kit.ids import derived_id, new_id


def test_new_ids_are_version_7_and_never_the_same():
    ids = [new_id() for _ in range(10_000)]

    assert len(set(ids)) == len(ids)
    assert {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in ids} == {(7, uuid.RFC_4122)}


def test_new_ids_sort_by_time():
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000

    assert before <= uuid.UUID(made).int >> 80 <= after


def test_a_derived_id_is_the_same_every_time_and_another_for_another_step():
    assert derived_id("a", "b") == derived_id("a", "b")
    assert len({derived_id(*pair) for pair in (("a", "b"), ("a", "c"), ("b", "b"))}) == 3
