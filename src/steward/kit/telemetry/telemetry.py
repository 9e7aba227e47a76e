"""The process's telemetry in one object, made once by bootstrap and handed to whoever needs it."""

import io
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

import msgspec
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from steward.kit.clock import Clock, SystemClock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.ids import Ids
from steward.kit.telemetry.log_text import text_renderer
from steward.kit.telemetry.logs import Answered, Formatter, LineSink, make_logger, render_json
from steward.kit.telemetry.metrics import Metrics
from steward.kit.telemetry.settings import LogFormat, LogLevel, TelemetrySettings
from steward.kit.telemetry.stdlib_logs import StdlibLogs
from steward.kit.telemetry.traces import Attributes, AttributeValue, Span, Tracing, current_span, otlp_processor


class Telemetry:
    """Logs, metrics and spans of one process.

    `log` writes records, `metrics` counts, `span` opens a span. Nothing is process-wide but `take_over_stdlib_logs`.
    """

    def __init__(
        self,
        settings: TelemetrySettings,
        clock: Clock,
        ids: Ids,
        *,
        version: str = "",
        stream: BinaryIO | None = None,
        span_processor: SpanProcessor | None = None,
    ) -> None:
        """Log lines go to `stream`, or standard error; spans to `span_processor`, or the collector of the settings."""
        self.settings = settings
        self.metrics = Metrics(clock, settings.metrics_tenant_labels)
        out = _standard_error() if stream is None else stream
        text = settings.log_format is LogFormat.TEXT or (settings.log_format is LogFormat.AUTO and out.isatty())
        render = text_renderer(color=out.isatty()) if text else render_json
        sink = LineSink(out, self.metrics.log_line_dropped)
        formatter = Formatter(settings.service_name, clock, render)
        self.log = make_logger(sink, formatter, settings.log_level)
        self._sink = sink
        self._formatter = formatter
        self._logs_requests = settings.log_level in {LogLevel.DEBUG, LogLevel.INFO}
        self._tracing = _tracing(settings, clock, ids, version, span_processor)
        self._stdlib = StdlibLogs(self.log, settings.log_level)

    @classmethod
    def for_tests(cls, clock: Clock | None = None, settings: TelemetrySettings | None = None) -> "CapturingTelemetry":
        """Telemetry that keeps logs (from debug up) and spans in memory."""
        return CapturingTelemetry(clock or SystemClock(), settings or TelemetrySettings(log_level=LogLevel.DEBUG))

    def span(
        self,
        name: str,
        ctx: Ctx | SystemCtx | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        traceparent: str = "",
        attributes: Attributes | None = None,
        **more: AttributeValue,
    ) -> Span:
        """A span to be entered with `with`: see `Span` for its place in the trace.

        Attributes have the names of OpenTelemetry's semantic conventions; those with dots go in `attributes`.
        """
        given = {**attributes, **more} if attributes and more else attributes or more
        return Span(self._tracing, name, ctx=ctx, kind=kind, traceparent=traceparent, attributes=given)

    def request_answered(self, request: Answered, seconds: float) -> None:
        """Write the access log's line: the one that is written most, so it passes no logger and no walk."""
        if self._logs_requests:
            self._sink.write_soon(self._formatter.answered(request, seconds * 1000))

    def traceparent(self) -> str:
        """W3C `traceparent` of the current span, for outgoing calls and stored work; empty outside of any."""
        span = current_span()
        return "" if span is None else span.traceparent

    def take_over_stdlib_logs(self) -> None:
        """Send what libraries log through `logging` to `log`, until `shutdown`."""
        self._stdlib.install()

    def shutdown(self) -> None:
        """Send what waits and give `logging` back. Blocks for up to 10 s where the collector is away."""
        self._sink.flush()
        self._tracing.shutdown()
        self._stdlib.remove()


class CapturingTelemetry(Telemetry):
    """Telemetry whose output a test can read."""

    def __init__(self, clock: Clock, settings: TelemetrySettings) -> None:
        self._stream = io.BytesIO()
        self._exporter = InMemorySpanExporter()
        processor = SimpleSpanProcessor(self._exporter)
        super().__init__(settings, clock, Ids(clock), stream=self._stream, span_processor=processor)

    @property
    def text(self) -> str:
        """Everything written, as it was written."""
        return self._stream.getvalue().decode()

    @property
    def logs(self) -> Sequence[dict[str, Any]]:
        """The log lines so far, decoded; only in the JSON format."""
        return [msgspec.json.decode(line, type=dict[str, Any]) for line in self._stream.getvalue().splitlines()]

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """The spans that have ended, in that order."""
        return self._exporter.get_finished_spans()

    def clear(self) -> None:
        """Forget what was captured."""
        self._stream.seek(0)
        self._stream.truncate()
        self._exporter.clear()


def _standard_error() -> BinaryIO:
    """Standard error with a buffer of its own where Python's has none (`PYTHONUNBUFFERED`, as in many containers).

    `LineSink` flushes by itself, and without a buffer each line of the access log would be a system call.
    """
    stream = sys.stderr.buffer
    return open(stream.fileno(), "wb", closefd=False) if isinstance(stream, io.RawIOBase) else stream


def _tracing(
    settings: TelemetrySettings, clock: Clock, ids: Ids, version: str, processor: SpanProcessor | None
) -> Tracing:
    if processor is None and settings.otlp_endpoint:
        processor = otlp_processor(settings.otlp_endpoint)
    if processor is None:
        return Tracing(ids, clock)
    resource = Resource.create(
        {
            "service.namespace": "steward",
            "service.name": settings.service_name,
            "service.version": version,
            "service.instance.id": str(ids.new()),
        }
    )
    return Tracing.exporting(ids, clock, processor, settings.trace_sample_ratio, resource)
