"""Which story a piece of work belongs to: W3C trace context, bound to whoever works on it, and spans for a collector.

The ids are made here, so that the hot path needs no SDK. Spans are exported only where OTEL_EXPORTER_OTLP_ENDPOINT is
set and the extra `tracing` is installed; otherwise nothing of it is imported.
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias, cast

import structlog
from structlog.types import EventDict, WrappedLogger

from .settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Tracer  # type: ignore[import-not-found, unused-ignore]  # an extra
    from opentelemetry.trace import SpanContext

HEADER: Final = "traceparent"
Attribute: TypeAlias = "str | int | tuple[str, ...]"
Kind: TypeAlias = Literal["internal", "client"]

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_LONGEST = 512  # a later version may say more, within reason
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Correlation:
    """What is known about the story that the present work belongs to; `note` adds to it."""

    traceparent: str
    request_id: str | None = None
    session_id: str | None = None

    @property
    def trace_id(self) -> str:
        return self.traceparent[3:35]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedSpan:
    """A part of a story that is over; times are nanoseconds since 1970.

    Attributes with a dot in their name have it from a convention; the others are ours. `kind` is `client` for a call
    of something outside.
    """

    name: str
    traceparent: str
    parent: str | None
    started: int
    ended: int
    failed: bool
    attributes: Mapping[str, Attribute]
    kind: Kind = "internal"


Recorder = Callable[[FinishedSpan], None]

# For the whole process, as logging is: work is traced by code that nobody hands a recorder to.
_CURRENT: ContextVar[Correlation | None] = ContextVar("correlation", default=None)
_RECORDERS: list[Recorder] = []


def read(told: object) -> str | None:
    """Return a traceparent that somebody sent, in the form of version 00, or None for what is not one."""
    match = _TRACEPARENT.fullmatch(told) if isinstance(told, str) and len(told) <= _LONGEST else None
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return f"00-{trace_id}-{span_id}-0{int(flags, 16) & 1}"


def new() -> str:
    """Return the traceparent of a story that begins here."""
    random = os.urandom(24).hex()
    return f"00-{random[:32]}-{random[32:]}-01"


def current() -> Correlation | None:
    return _CURRENT.get()


def traceparent() -> str | None:
    """Return what a call made now sends along, if it belongs to a story."""
    now = _CURRENT.get()
    return None if now is None else now.traceparent


def note(*, request_id: str, session_id: str | None = None) -> None:
    """Remember what has become known about the present story."""
    now = _CURRENT.get()
    if now is not None:
        now.request_id, now.session_id = request_id, session_id


def correlate(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add to a log line which story it belongs to; what the line says itself stands."""
    now = _CURRENT.get()
    if now is not None:
        known = {"trace_id": now.trace_id, "request_id": now.request_id, "session_id": now.session_id}
        for name, value in known.items():
            if value is not None and event.get(name) is None:
                event[name] = value
    return event


class Span:
    """A part of a story: what is logged and called inside belongs to it.

    The story is the one that `told` names, else the present one, else a new one.
    """

    __slots__ = ("_attributes", "_kind", "_name", "_own", "_parent", "_started", "_token")

    def __init__(
        self,
        name: str,
        told: object = None,
        *,
        request_id: str | None = None,
        session_id: str | None = None,
        kind: Kind = "internal",
    ) -> None:
        outer = _CURRENT.get()
        self._name = name
        self._kind: Kind = kind
        self._parent = read(told) or (outer.traceparent if outer else None)
        if outer is not None and told is None:
            request_id, session_id = request_id or outer.request_id, session_id or outer.session_id
        self._own = Correlation(_beneath(self._parent), request_id, session_id)
        self._token: Token[Correlation | None] | None = None
        self._attributes: dict[str, Attribute] = {}
        self._started = 0

    @property
    def traceparent(self) -> str:
        return self._own.traceparent

    def describe(self, **attributes: str) -> None:
        """Add what a collector is to know about this part."""
        self._attributes.update(attributes)

    def describe_by(self, attributes: Mapping[str, Attribute]) -> None:
        """Add attributes by the names that a convention gives them."""
        self._attributes.update(attributes)

    def __enter__(self) -> Self:
        self._token = _CURRENT.set(self._own)
        if _RECORDERS:
            self._started = time.time_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._started:
            self._record(failed=kind is not None)
        if self._token is not None:
            _CURRENT.reset(self._token)

    def _record(self, *, failed: bool) -> None:
        now = _CURRENT.get() or self._own
        known = {"request_id": now.request_id, "session_id": now.session_id}
        span = FinishedSpan(
            name=self._name,
            traceparent=self._own.traceparent,
            parent=self._parent,
            started=self._started,
            ended=time.time_ns(),
            failed=failed,
            attributes=self._attributes | {name: value for name, value in known.items() if value is not None},
            kind=self._kind,
        )
        for recorder in _RECORDERS:
            recorder(span)


def _beneath(parent: str | None) -> str:
    return new() if parent is None else f"{parent[:36]}{os.urandom(8).hex()}{parent[-3:]}"


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Hand every span that ends to `recorder` for as long as this is open."""
    _RECORDERS.append(recorder)
    try:
        yield
    finally:
        _RECORDERS.remove(recorder)


class TracingSettings(Settings):
    """Where spans go; the exporter reads the other OTEL_* variables itself."""

    otel_exporter_otlp_endpoint: str | None = None


@asynccontextmanager
async def exporting(settings: TracingSettings, *, service: str, version: str) -> AsyncIterator[None]:
    """Send spans to the collector that the settings name, if they name one, for as long as this is open."""
    if settings.otel_exporter_otlp_endpoint is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415  # an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # an extra
        from opentelemetry.sdk.trace.export import (  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415
            BatchSpanProcessor,
        )
    except ImportError:
        log.warning("tracing.not_installed", wanted="self-service-agent[tracing]")
        yield
        return
    ids = GivenIds()
    resource = Resource.create({"service.name": service, "service.version": version})
    provider = TracerProvider(resource=resource, id_generator=cast("Any", ids), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        tracer = cast("Any", provider.get_tracer("self-service-agent", version))
        with recording(SpanExport(tracer, ids)):
            yield
    finally:
        await asyncio.to_thread(provider.shutdown)  # it waits for what is still to be sent


class GivenIds:
    """Lets the SDK use the ids that were propagated already."""

    trace_id = 0
    span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id

    def is_trace_id_random(self) -> bool:
        return True


class SpanExport:
    """Turns our spans into those of the SDK."""

    def __init__(self, tracer: "Tracer", ids: GivenIds) -> None:
        self._tracer = tracer
        self._ids = ids

    def __call__(self, span: FinishedSpan) -> None:
        from opentelemetry import trace  # noqa: PLC0415  # an extra
        from opentelemetry.context import Context  # noqa: PLC0415  # an extra

        self._ids.trace_id, self._ids.span_id = int(span.traceparent[3:35], 16), int(span.traceparent[36:52], 16)
        context = Context()
        if span.parent is not None:
            context = trace.set_span_in_context(trace.NonRecordingSpan(_context_of(span.parent)), context)
        kind = trace.SpanKind.SERVER if span.name == "accept" else trace.SpanKind[span.kind.upper()]
        attributes = {name if "." in name else f"ssa.{name}": value for name, value in span.attributes.items()}
        exported = self._tracer.start_span(
            span.name, context=context, kind=kind, attributes=attributes, start_time=span.started
        )
        if span.failed:
            exported.set_status(trace.StatusCode.ERROR)
        exported.end(span.ended)


def _context_of(traceparent: str) -> "SpanContext":
    from opentelemetry import trace  # noqa: PLC0415  # an extra

    return trace.SpanContext(
        trace_id=int(traceparent[3:35], 16),
        span_id=int(traceparent[36:52], 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(int(traceparent[-2:], 16)),
    )
