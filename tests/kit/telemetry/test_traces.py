"""Spans: their place in a trace, W3C context in and out, failures, sampling, export."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent import futures
from datetime import UTC, datetime
from uuid import UUID

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.trace import StatusCode

from steward.kit.clock import SystemClock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.errors import NotFound, Unavailable
from steward.kit.ids import Ids, TenantId
from steward.kit.telemetry import SpanKind, Telemetry, TelemetrySettings, current_span, parse_traceparent
from steward.kit.testing.clock import FakeClock

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = CALLER[:-2] + "00"


def make_ctx(traceparent: str = "") -> Ctx:
    return Ctx(
        tenant=TenantId(UUID(int=7)),
        actor=Actor(ActorType.USER, "ada"),
        scopes=frozenset(),
        request_id="r-1",
        deadline=datetime(2026, 1, 1, tzinfo=UTC),
        traceparent=traceparent,
    )


def make_quiet(ratio: float = 1.0) -> Telemetry:
    return Telemetry(TelemetrySettings(trace_sample_ratio=ratio), SystemClock(), Ids(SystemClock()))


def test_child_has_its_parents_trace_and_is_recorded_under_it() -> None:
    telemetry = Telemetry.for_tests()
    with telemetry.span("outer", kind=SpanKind.SERVER) as outer, telemetry.span("inner", rows=3):
        pass
    inner, recorded = telemetry.spans
    assert inner.context.trace_id == outer.trace_id
    assert inner.parent is not None
    assert inner.parent.span_id == outer.span_id
    assert recorded.parent is None
    assert dict(inner.attributes or {}) == {"rows": 3}


def test_entry_continues_the_callers_trace_and_not_the_current_span() -> None:
    telemetry = Telemetry.for_tests()
    with telemetry.span("poll"):
        with telemetry.span("GET /x", kind=SpanKind.SERVER, traceparent=CALLER) as by_header:
            assert f"{by_header.trace_id:032x}" == CALLER[3:35]
        with telemetry.span("consume", make_ctx(CALLER), kind=SpanKind.CONSUMER) as by_ctx:
            assert f"{by_ctx.trace_id:032x}" == CALLER[3:35]
    assert telemetry.spans[0].parent is not None
    assert f"{telemetry.spans[0].parent.span_id:016x}" == CALLER[36:52]


def test_inner_span_prefers_the_current_span_to_the_ctx() -> None:
    telemetry = make_quiet()
    with telemetry.span("outer") as outer, telemetry.span("inner", make_ctx(CALLER)) as inner:
        assert inner.trace_id == outer.trace_id
    with telemetry.span("work", make_ctx(CALLER)) as work:
        assert f"{work.trace_id:032x}" == CALLER[3:35]


@pytest.mark.parametrize("exporting", [True, False])
def test_outgoing_context_names_the_span_and_reads_back(exporting: bool) -> None:
    telemetry = Telemetry.for_tests() if exporting else make_quiet()
    assert telemetry.traceparent() == ""
    with telemetry.span("call") as span:
        parsed = parse_traceparent(telemetry.traceparent())
        assert parsed is not None
        assert (parsed.trace_id, parsed.span_id, parsed.trace_flags.sampled) == (span.trace_id, span.span_id, exporting)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        CALLER.upper(),
        "ff" + CALLER[2:],
        CALLER + "-extra",
        "00-" + "0" * 32 + CALLER[35:],
        CALLER[:36] + "0" * 16 + "-01",
        CALLER + "\n",
        " " + CALLER,
    ],
)
def test_invalid_traceparent_starts_a_new_trace(header: str) -> None:
    assert parse_traceparent(header) is None
    with make_quiet().span("x", kind=SpanKind.SERVER, traceparent=header) as span:
        assert span.trace_id
        assert f"{span.trace_id:032x}" != CALLER[3:35]


def test_traceparent_of_a_later_version_is_read_as_far_as_known() -> None:
    later = parse_traceparent("01" + CALLER[2:] + "-what-the-future-brings")
    assert later is not None
    assert f"{later.trace_id:032x}" == CALLER[3:35]


@given(st.text())
def test_any_header_is_borne(header: str) -> None:
    parse_traceparent(header)


def test_decision_of_the_caller_is_kept() -> None:
    telemetry = Telemetry.for_tests()
    with telemetry.span("x", kind=SpanKind.SERVER, traceparent=UNSAMPLED) as span, telemetry.span("child") as child:
        assert (span.recording, child.recording) == (False, False)
        assert child.traceparent.endswith("-00")
    assert telemetry.spans == ()


def test_ratio_of_zero_records_nothing_but_has_ids() -> None:
    telemetry = Telemetry.for_tests(settings=TelemetrySettings(trace_sample_ratio=0.0))
    with telemetry.span("x") as span:
        assert span.trace_id
        assert span.span_id
        assert not span.sampled
    assert telemetry.spans == ()


def test_failure_is_recorded_masked_with_status_and_passes_on() -> None:
    telemetry = Telemetry.for_tests()
    with pytest.raises(ValueError, match="hunter2"), telemetry.span("work"):
        raise ValueError("password=hunter2 is wrong")
    (span,) = telemetry.spans
    (event,) = span.events
    attributes = dict(event.attributes or {})
    assert event.name == "exception"
    assert attributes["exception.type"] == "ValueError"
    assert attributes["exception.message"] == "password=*** is wrong"
    assert "hunter2" not in str(attributes["exception.message"])
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "password=*** is wrong")
    assert dict(span.attributes or {})["error.type"] == "ValueError"


def test_callers_mistakes_and_cancellation_are_no_failures_but_our_unavailability_is() -> None:
    telemetry = Telemetry.for_tests()
    for error in (NotFound("no such user"), asyncio.CancelledError(), Unavailable("down")):
        with pytest.raises(type(error)), telemetry.span("work"):
            raise error
    assert [span.status.status_code for span in telemetry.spans] == [
        StatusCode.UNSET,
        StatusCode.UNSET,
        StatusCode.ERROR,
    ]
    assert [dict(span.attributes or {})["error.type"] for span in telemetry.spans] == [
        "not_found",
        "CancelledError",
        "Unavailable",
    ]


def test_ctx_that_is_known_later_is_bound() -> None:
    telemetry = Telemetry.for_tests()
    with telemetry.span("GET", kind=SpanKind.SERVER) as span:
        span.bind(make_ctx())
        span.rename("GET /api/v1/users")
        span.set(**{"http.response.status_code": 200, "url.query": "token=abc"})
        span.event("note", password="x")
        with telemetry.span("inner"):
            telemetry.log.info("inside")
    outer = telemetry.spans[1]
    assert outer.name == "GET /api/v1/users"
    assert dict(outer.attributes or {}) == {
        "steward.tenant.id": str(UUID(int=7)),
        "steward.request.id": "r-1",
        "user.id": "ada",
        "http.response.status_code": 200,
        "url.query": "token=***",
    }
    assert dict(outer.events[0].attributes or {}) == {"password": "***"}
    assert telemetry.logs[0]["user_id"] == "ada"


def test_spans_take_their_times_from_the_clock() -> None:
    clock = FakeClock()
    telemetry = Telemetry.for_tests(clock)
    with telemetry.span("work"):
        clock.advance(1.5)
    (span,) = telemetry.spans
    assert span.start_time == int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 10**9
    assert (span.end_time or 0) - span.start_time == 1_500_000_000


async def test_stream_closed_from_another_task_leaves_no_span_behind() -> None:
    telemetry = make_quiet()

    async def stream() -> AsyncGenerator[int]:
        with telemetry.span("stream"):
            yield 1
            yield 2

    items = stream()
    await asyncio.create_task(anext(items))
    await items.aclose()
    assert current_span() is None


def test_ids_are_unique_over_refills() -> None:
    telemetry = make_quiet()
    seen = set[int]()
    for _ in range(2_000):
        with telemetry.span("x") as span:
            seen |= {span.span_id, span.trace_id}
    assert len(seen) == 4_000


class Collector(TraceServiceServicer):
    """An OpenTelemetry collector as far as a client can tell."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []

    def Export(  # noqa: N802 the name in the contract
        self,
        request: ExportTraceServiceRequest,
        context: object,  # noqa: ARG002 the shape in the contract
    ) -> ExportTraceServiceResponse:
        self.requests.append(request)
        return ExportTraceServiceResponse()


def test_spans_arrive_at_a_collector_at_shutdown() -> None:
    collector = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        settings = TelemetrySettings(otlp_endpoint=f"http://127.0.0.1:{port}", service_name="edge")
        telemetry = Telemetry(settings, SystemClock(), Ids(SystemClock()), version="1.2.3")
        with telemetry.span("work"):
            pass
        telemetry.shutdown()
    finally:
        server.stop(0).wait()
    (resource_spans,) = collector.requests[0].resource_spans
    resource = {item.key: item.value.string_value for item in resource_spans.resource.attributes}
    assert (resource["service.name"], resource["service.version"]) == ("edge", "1.2.3")
    assert resource_spans.scope_spans[0].spans[0].name == "work"
