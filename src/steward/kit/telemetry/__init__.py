"""Telemetry: structured logs, Prometheus metrics and OpenTelemetry spans of one process, as one object.

Bootstrap makes a `Telemetry` and hands it on; nothing here is global but the takeover of `logging`, which bootstrap
asks for. Logs name tenant, user and trace by themselves from the current span: open one with the `Ctx` at each entry
(`kind=SpanKind.SERVER` or `CONSUMER`) and `bind` the `Ctx` when it is known only later. Everything logged or put on a
span is masked and bounded (`masking`).

Pitfalls: pass route templates to metrics, never paths; the first label values win when a bound is reached; log lines
are written where they are made (those of the access log at the end of the event loop's round), so standard error must
not be a pipe that nobody reads.
"""

from opentelemetry.trace import SpanKind

from steward.kit.telemetry.logs import REQUEST_EVENT
from steward.kit.telemetry.metrics import CONTENT_TYPE, UNMATCHED, Metrics
from steward.kit.telemetry.observers import BusObserver, CacheObserver, DatabaseObserver, IntentObserver
from steward.kit.telemetry.settings import LogFormat, LogLevel, TelemetrySettings
from steward.kit.telemetry.stdlib_logs import granian_logging
from steward.kit.telemetry.telemetry import CapturingTelemetry, Telemetry
from steward.kit.telemetry.traces import Span, current_span, parse_traceparent

__all__ = [
    "CONTENT_TYPE",
    "REQUEST_EVENT",
    "UNMATCHED",
    "BusObserver",
    "CacheObserver",
    "CapturingTelemetry",
    "DatabaseObserver",
    "IntentObserver",
    "LogFormat",
    "LogLevel",
    "Metrics",
    "Span",
    "SpanKind",
    "Telemetry",
    "TelemetrySettings",
    "current_span",
    "granian_logging",
    "parse_traceparent",
]
