"""What an operator can count, for the whole process: every metric of the product by its name.

Labels take the values of closed sets, never anything that a caller sends. What is looked up in the database is looked
up when somebody asks for the metrics, and for no other reason.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeAlias, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.multiprocess import MultiProcessCollector

from .settings import Settings, read

Labels: TypeAlias = "str | tuple[str, ...]"
MetricT = TypeVar("MetricT", bound=MetricWrapperBase)


class Bound(dict[Labels, MetricT], Generic[MetricT]):
    """The children of a metric by their labels, each looked up in the library once: a tenth of the cost."""

    def __init__(self, metric: MetricT) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: Labels) -> MetricT:
        child = self[labels] = self._metric.labels(*((labels,) if isinstance(labels, str) else labels))
        return child


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

BUILD = Info("ssa_build", "Which release of which service this process is.")
REQUEST_SECONDS = Bound(
    Histogram(
        "ssa_request_processing_seconds",
        "From the moment a request was taken in until its answer was recorded.",
        ("integration_type", "outcome"),
        buckets=_SECONDS,
    )
)
REQUESTS_ACCEPTED = Bound(
    Counter("ssa_requests_accepted", "New requests that were stored; repetitions are not.", ("integration_type",))
)
SESSIONS_CREATED = Counter("ssa_sessions_created", "Sessions that a request opened.")
SESSIONS_UPDATED = Counter("ssa_sessions_updated", "Requests that went on with a session that was there.")
REFUSALS = Bound(
    Counter(
        "ssa_authentication_refusals",
        "Requests refused at a door because nobody knows who sent them, or because of who did.",
        ("door", "reason"),
    )
)
EVENTS_PUBLISHED = Bound(
    Counter("ssa_events_published", "Events that were to be stored for their consumers.", ("type", "outcome"))
)
EVENTS_HANDLED = Bound(Counter("ssa_events_handled", "Events that a consumer has handled.", ("consumer",)))
EVENTS_FAILED = Bound(Counter("ssa_events_failed", "Failed attempts of a consumer at an event.", ("consumer",)))
EVENTS_DEAD_LETTERED = Bound(Counter("ssa_events_dead_lettered", "Events that a consumer has given up.", ("consumer",)))
TURNS = Bound(Counter("ssa_turns", "Attempts at turns, by how they ended.", ("outcome",)))
AGENT_TURNS = Bound(
    Counter("ssa_agent_turns", "Answers, by the agent that gave them and how they ended.", ("agent", "outcome"))
)
MODEL_TOKENS = Bound(
    Counter("ssa_model_tokens", "Tokens that models read and wrote for an agent.", ("agent", "model", "direction"))
)
MODEL_COST = Bound(
    Counter("ssa_model_cost", "What the tokens cost by MODEL_PRICES, in the currency of these.", ("agent", "model"))
)
MODEL_SECONDS = Bound(
    Histogram("ssa_model_seconds", "How long a call of a model took.", ("agent", "model", "outcome"), buckets=_SECONDS)
)
TOOL_CALLS = Bound(
    Counter("ssa_tool_calls", "Calls of tools that agents declare, by how they ended.", ("tool", "outcome"))
)
TOOL_SECONDS = Bound(Histogram("ssa_tool_call_seconds", "How long a call of a tool took.", ("tool",), buckets=_SECONDS))
MODERATIONS = Bound(
    Counter("ssa_moderations", "Texts that the classifier of messages was asked about.", ("direction", "outcome"))
)
DELIVERIES = Bound(
    Counter("ssa_deliveries", "Deliveries by where an attempt, or the plan, left them.", ("channel", "outcome"))
)
QUEUE_AGE = Bound(
    Gauge(
        "ssa_queue_oldest_age_seconds",
        "How long the oldest thing in a queue is overdue; 0 if none is.",
        ("queue",),
        multiprocess_mode="livemostrecent",
    )
)
DATABASE_UP = Gauge(
    "ssa_database_up", "1 if the database answered when it was last asked, else 0.", multiprocess_mode="livemostrecent"
)


class Publishing:
    """Counts events, so many of each type, as published once the block ends, or as failed if it raises.

    `counts` may be corrected inside.
    """

    __slots__ = ("counts",)

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        outcome = "success" if kind is None else "failure"
        for event_type, count in self.counts.items():
            EVENTS_PUBLISHED[event_type, outcome].inc(count)


class MetricsSettings(Settings):
    """Where the workers of one parent put their counts together; the library reads it itself."""

    prometheus_multiproc_dir: Path | None = None


Reader = Callable[[], Awaitable[None]]

_READERS: list[Reader] = []


@contextmanager
def read_by(reader: Reader) -> Iterator[None]:
    """Have `reader` set its gauges before the metrics are shown, for as long as this is open."""
    _READERS.append(reader)
    try:
        yield
    finally:
        _READERS.remove(reader)


async def shown() -> bytes:
    """Return all metrics in Prometheus' text format, looked up as far as they are not counted."""
    for reader in tuple(_READERS):
        await reader()
    folder = read(MetricsSettings).prometheus_multiproc_dir
    if folder is None:
        return prometheus_client.generate_latest()
    together = CollectorRegistry()
    MultiProcessCollector(together, str(folder))  # type: ignore[no-untyped-call]
    together.register(BUILD)
    return prometheus_client.generate_latest(together)
