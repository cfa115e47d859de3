"""Trace context: what is taken from a caller, what is sent along, what the logs say, what a collector gets."""

import json
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest
import structlog
from opentelemetry import trace
from pydantic import SecretStr

from self_service_agent.connectors.mcp.client import ToolServer
from self_service_agent.doubles.receiver import Answer, Receiver
from self_service_agent.kit import tracing
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import ServiceTokens

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TOLD = f"00-{TRACE}-{SPAN}-01"
LOOPBACK = EgressPolicy(allow_loopback=True)


@pytest.mark.parametrize(
    ("told", "understood"),
    [
        pytest.param(TOLD, TOLD, id="as it should be"),
        pytest.param(f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00", id="not sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-ff", TOLD, id="flags that we do not know are not passed on"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01", TOLD, id="a later version"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-what-comes", TOLD, id="a later version that says more"),
        pytest.param(f"00-{TRACE}-{SPAN}-01-more", None, id="this version does not say more"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01.more", None, id="more comes after a dash"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", None, id="a version that does not exist"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", None, id="no trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", None, id="no span"),
        pytest.param(TOLD.upper(), None, id="capitals"),
        pytest.param(f" {TOLD}", None, id="a space"),
        pytest.param(f"{TOLD}\n", None, id="a line end"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-{'x' * 500}", None, id="too long"),
        pytest.param("", None, id="nothing"),
        pytest.param(None, None, id="none"),
        pytest.param(7, None, id="a number"),
    ],
)
def test_a_traceparent_is_read_strictly(told, understood):
    assert tracing.read(told) == understood


def test_a_part_belongs_to_the_story_that_it_was_told_of_and_has_an_id_of_its_own():
    with tracing.Span("turn", TOLD, request_id="r", session_id="s") as span:
        within = tracing.current()

    assert within == tracing.Correlation(span.traceparent, "r", "s")
    assert within.trace_id == TRACE
    assert span.traceparent[36:52] not in {SPAN, "0" * 16}
    assert tracing.current() is None


def test_a_part_inside_another_continues_it_and_knows_what_it_knew():
    with tracing.Span("turn", TOLD, request_id="r", session_id="s") as outer, tracing.Span("tool") as inner:
        within = tracing.current()

    assert within == tracing.Correlation(inner.traceparent, "r", "s")
    assert inner.traceparent[:35] == outer.traceparent[:35]
    assert inner.traceparent != outer.traceparent


@pytest.mark.parametrize("told", [None, "00-nonsense", TOLD.upper()])
def test_a_story_that_nobody_told_of_begins_here(told):
    with tracing.Span("accept", told) as one, tracing.Span("accept", TOLD) as other:
        pass

    assert tracing.read(one.traceparent) == one.traceparent
    assert one.traceparent[3:35] != other.traceparent[3:35]


def test_what_becomes_known_is_on_every_later_line():
    with tracing.Span("accept", TOLD):
        before = tracing.correlate(None, "info", {"event": "early"})
        tracing.note(request_id="r", session_id="s")
        after = tracing.correlate(None, "info", {"event": "late"})

    assert before == {"event": "early", "trace_id": TRACE}
    assert after == {"event": "late", "trace_id": TRACE, "request_id": "r", "session_id": "s"}


def test_what_a_line_says_itself_stands():
    with tracing.Span("accept", TOLD, request_id="mine"):
        said = tracing.correlate(None, "info", {"request_id": "another", "session_id": None})

    assert said == {"trace_id": TRACE, "request_id": "another", "session_id": None}


def test_a_line_without_a_story_is_left_alone():
    tracing.note(request_id="r")

    assert tracing.correlate(None, "info", {"event": "started"}) == {"event": "started"}
    assert tracing.traceparent() is None


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        pytest.param(None, None, id="without headers"),
        pytest.param({"X-Other": "1"}, None, id="beside others"),
        pytest.param({"Traceparent": "mine"}, "mine", id="a caller's own stands"),
    ],
)
async def test_calls_to_the_outside_carry_the_story(headers, sent):
    async with Receiver.open() as receiver, Client.open(policy=LOOPBACK, user_agent="test") as http:
        with tracing.Span("delivery", TOLD) as span:
            await http.get(receiver.url, headers=headers)
        await http.get(receiver.url)
        told, untold = await receiver.wait_for(2)

    assert told.headers.getall("traceparent") == [sent or span.traceparent]
    assert "traceparent" not in untold.headers


async def test_a_tool_call_carries_the_story_as_a_header_and_in_the_message():
    tool = {"name": "order", "inputSchema": {"type": "object"}}
    listing = {"tools": [tool], "resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
    result = {"content": [], "structuredContent": {}, "isError": False, "resultType": "complete"}
    tokens = ServiceTokens(SecretStr("a secret for tests, long enough for HS256"))
    async with Receiver.open() as receiver, ToolServer.open(receiver.url, tokens, policy=LOOPBACK) as server:
        receiver.script(answered(listing), answered(result))
        with tracing.Span("turn", TOLD):
            await server.call("order", {}, subject="alice@company.com", timeout=timedelta(seconds=5))
        _, called = await receiver.wait_for(2)

    assert called.headers["traceparent"][3:35] == TRACE
    assert json.loads(called.body)["params"]["_meta"]["traceparent"] == called.headers["traceparent"]


def test_a_recorder_gets_every_part_with_its_parent_and_how_it_ended():
    spans = []
    outer, inner = tracing.Span("accept", TOLD), None

    def work():
        nonlocal inner
        with outer:
            with tracing.Span("tool") as inner:
                inner.describe(tool="order")
            tracing.note(request_id="r", session_id="s")
            raise ZeroDivisionError

    with tracing.recording(spans.append), pytest.raises(ZeroDivisionError):
        work()
    with tracing.Span("accept"):
        pass  # nobody records any more

    assert [(s.name, s.traceparent, s.parent, s.failed, s.attributes) for s in spans] == [
        ("tool", inner.traceparent, outer.traceparent, False, {"tool": "order"}),
        ("accept", outer.traceparent, TOLD, True, {"request_id": "r", "session_id": "s"}),
    ]
    assert spans[1].started <= spans[0].started <= spans[0].ended <= spans[1].ended


@pytest.mark.parametrize("parent", [TOLD, None])
def test_an_exported_span_has_the_ids_that_were_sent_along(parent):
    tracer, ids = RecordingTracer(), tracing.GivenIds()
    tracer.ids = ids
    span = tracing.FinishedSpan(
        name="accept", traceparent=f"00-{TRACE}-{'1' * 16}-01", parent=parent, started=1, ended=2, failed=True,
        attributes={"request_id": "r"},
    )  # fmt: skip

    tracing.SpanExport(tracer, ids)(span)

    assert tracer.exported == {
        "ids": (int(TRACE, 16), int("1" * 16, 16)),
        "parent": int(SPAN, 16) if parent else 0,
        "name": "accept",
        "kind": trace.SpanKind.SERVER,
        "attributes": {"ssa.request_id": "r"},
        "start": 1,
        "status": trace.StatusCode.ERROR,
        "end": 2,
    }


async def test_without_the_extra_a_collector_is_a_warning_and_nothing_else(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)  # as if it were not installed
    settings = tracing.TracingSettings(otel_exporter_otlp_endpoint="http://127.0.0.1:1")
    spans_before = len(tracing._RECORDERS)  # noqa: SLF001  # nothing outside shows it

    with structlog.testing.capture_logs() as lines:
        async with tracing.exporting(settings, service="test", version="1"):
            assert len(tracing._RECORDERS) == spans_before  # noqa: SLF001

    assert lines == [
        {"event": "tracing.not_installed", "log_level": "warning", "wanted": "self-service-agent[tracing]"}
    ]


async def test_a_collector_gets_the_spans(monkeypatch):
    async with Receiver.open() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)  # the exporter reads it itself
        settings = tracing.TracingSettings()
        async with tracing.exporting(settings, service="test", version="1"):
            with tracing.Span("turn", TOLD):
                pass
        [received] = await receiver.wait_for(1)

    assert received.path == "/v1/traces"
    assert bytes.fromhex(TRACE) in received.body


def answered(result):
    return Answer(body=json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())


class RecordingTracer:
    """Takes spans as the SDK's tracer does: the ids come from the generator, the parent from the context."""

    def start_span(self, name, *, context, kind, attributes, start_time):
        parent = trace.get_current_span(context).get_span_context().span_id
        self.exported = {
            "ids": (self.ids.generate_trace_id(), self.ids.generate_span_id()),
            "parent": parent,
            "name": name,
            "kind": kind,
            "attributes": attributes,
            "start": start_time,
        }
        return SimpleNamespace(
            set_status=lambda status: self.exported.update(status=status),
            end=lambda moment: self.exported.update(end=moment),
        )
