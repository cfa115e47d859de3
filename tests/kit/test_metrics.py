"""Counting: cheap where it happens, looked up only when somebody asks."""

import pytest
from prometheus_client import REGISTRY, Counter

from self_service_agent.kit import metrics


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_bound_metric_counts_each_combination_of_labels():
    bound = metrics.Bound(Counter("test_bound", "A test's.", ("kind", "outcome"), registry=None))

    bound["WEB", "failed"].inc()
    bound["WEB", "failed"].inc(2)

    assert bound["WEB", "failed"] is bound["WEB", "failed"]
    assert bound["WEB", "failed"].collect()[0].samples[0].value == 3
    assert list(bound) == [("WEB", "failed")]


def test_events_are_counted_as_published_or_as_failed():
    before = value("ssa_events_published_total", type="test.a", outcome="success")

    with metrics.Publishing({"test.a": 3, "test.b": 1}) as publishing:
        publishing.counts["test.a"] = 2
    with pytest.raises(OSError, match="away"), metrics.Publishing({"test.a": 3}):
        raise OSError("away")

    assert value("ssa_events_published_total", type="test.a", outcome="success") == before + 2
    assert value("ssa_events_published_total", type="test.b", outcome="success") == 1
    assert value("ssa_events_published_total", type="test.a", outcome="failure") == 3


async def test_what_is_looked_up_is_looked_up_when_the_metrics_are_shown():
    async def read():
        metrics.QUEUE_AGE["test"].set(4)

    with metrics.read_by(read):
        shown = await metrics.shown()
    metrics.QUEUE_AGE["test"].set(5)
    later = await metrics.shown()

    assert b'ssa_queue_oldest_age_seconds{queue="test"} 4.0' in shown
    assert b'ssa_queue_oldest_age_seconds{queue="test"} 5.0' in later


def test_names_carry_their_units_and_no_label_takes_what_a_caller_sends():
    ours = [metric for metric in REGISTRY.collect() if metric.name.startswith("ssa_")]
    labels = {label for metric in ours for sample in metric.samples for label in sample.labels}

    assert len(ours) >= 14
    assert labels <= {
        "agent", "channel", "consumer", "direction", "door", "integration_type", "le", "model", "outcome", "queue",
        "reason", "service", "tool", "type", "version",
    }  # fmt: skip
    assert all(metric.documentation for metric in ours)
