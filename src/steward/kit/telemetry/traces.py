"""Traces: a span for each piece of work, with ids that logs can always name.

A process without a collector pays for two ids and a context variable a span; only where spans are sent does the
OpenTelemetry SDK take part. Trace context crosses processes as W3C Trace Context `traceparent` (version 00).
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan

from steward.kit.clock import Clock
from steward.kit.context import ActorType, Ctx, SystemCtx
from steward.kit.errors import AppError
from steward.kit.ids import Ids
from steward.kit.telemetry.failures import describe
from steward.kit.telemetry.masking import clean, plain

AttributeValue = str | bool | int | float
Attributes = Mapping[str, AttributeValue]

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?", re.ASCII)
_SAMPLED = 0x01
_ENTRIES = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})
_IDS_AT_ONCE = 256
_SERVER_FAULT = 500


class SpanIds(IdGenerator):
    """Random trace and span ids, drawn from `Ids` many at a time: a system call each would cost half a span."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._ready: list[int] = []

    def generate_span_id(self) -> int:
        try:
            return self._ready.pop()
        except IndexError:
            drawn = memoryview(self._ids.token(8 * _IDS_AT_ONCE)).cast("Q")
            self._ready.extend(number for number in drawn if number)
            return self._ready.pop()

    def generate_trace_id(self) -> int:
        return self.generate_span_id() << 64 | self.generate_span_id()

    def is_trace_id_random(self) -> bool:
        return True


def parse_traceparent(header: str) -> SpanContext | None:
    """The span that a W3C `traceparent` names; None where it is absent or not valid, which starts a new trace."""
    match = _TRACEPARENT.fullmatch(header)
    if match is None or (match[1] == "00" and match[5] is not None):
        return None
    context = SpanContext(
        trace_id=int(match[2], 16),
        span_id=int(match[3], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(match[4], 16) & _SAMPLED),
    )
    return context if context.is_valid else None


class Tracing:
    """Makes spans. Without a processor nothing is recorded and spans carry ids only."""

    def __init__(self, ids: Ids, clock: Clock, provider: TracerProvider | None = None) -> None:
        self.ids = provider.id_generator if provider else SpanIds(ids)
        self.tracer = provider.get_tracer("steward") if provider else None
        self._clock = clock
        self._provider = provider

    @classmethod
    def exporting(cls, ids: Ids, clock: Clock, processor: SpanProcessor, ratio: float, resource: Resource) -> Self:
        """Tracing that hands finished spans to `processor`, of new traces this share."""
        provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            resource=resource,
            shutdown_on_exit=False,
            id_generator=SpanIds(ids),
        )
        provider.add_span_processor(processor)
        return cls(ids, clock, provider)

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, to the microsecond."""
        now = self._clock.now()
        return (int(now.replace(microsecond=0).timestamp()) * 1_000_000 + now.microsecond) * 1_000

    def shutdown(self) -> None:
        """Send what is finished and stop; blocks for at most the exporter's time-out."""
        if self._provider is not None:
            self._provider.shutdown()


def otlp_processor(endpoint: str) -> SpanProcessor:
    """Sends spans in batches over gRPC from a thread of its own; more than 2,048 waiting are dropped."""
    return BatchSpanProcessor(
        OTLPSpanExporter(endpoint=endpoint, insecure=endpoint.startswith("http://")),
        max_queue_size=2_048,
        schedule_delay_millis=1_000,
        max_export_batch_size=512,
    )


class Span:
    """One piece of work, as a context manager; while it is open it is `current_span()` of its task.

    A span of kind server or consumer continues the caller's trace (`traceparent`, or that of the `Ctx`) or starts a new
    one. Any other is a child of the current span; without one it continues the trace of the `Ctx`. A span without a
    `Ctx` has its parent's, for the logs.
    """

    __slots__ = (
        "_attributes",
        "_kind",
        "_name",
        "_parent",
        "_recorded",
        "_token",
        "_tracing",
        "ctx",
        "sampled",
        "span_id",
        "trace_id",
    )

    def __init__(
        self,
        tracing: Tracing,
        name: str,
        *,
        ctx: Ctx | SystemCtx | None,
        kind: SpanKind,
        traceparent: str,
        attributes: Attributes,
    ) -> None:
        self._tracing = tracing
        self._name = name
        self.ctx = ctx
        self._kind = kind
        self._parent = traceparent
        self._attributes = attributes
        self._recorded: SdkSpan | None = None
        self._token: Token[Span | None] | None = None
        self.trace_id = 0
        self.span_id = 0
        self.sampled = False

    def __enter__(self) -> Self:
        self.start()
        self._token = _ACTIVE.set(self)
        return self

    def start(self) -> None:
        """Open it without making it the current one: for work that goes on across what others do in between."""
        around = None if self._kind in _ENTRIES else _ACTIVE.get()
        if around is not None:
            self.trace_id = around.trace_id
            self.sampled = around.sampled
            if self.ctx is None:
                self.ctx = around.ctx
            self._start(around.sampled, around)
        else:
            self._enter_trace()

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if self._token is not None:
            try:
                _ACTIVE.reset(self._token)
            except ValueError:
                # An async generator may be closed from another context than it was opened in; the
                # variable was set in a context that is gone, so there is nothing to set back.
                self._token = None
        if self._recorded is not None:
            if error is not None:
                self.fail(error)
            self._recorded.end(self._tracing.now_ns())

    @property
    def recording(self) -> bool:
        """Whether anything set here is kept; attributes that cost work to find can be left out when not."""
        return self._recorded is not None

    @property
    def traceparent(self) -> str:
        """W3C `traceparent` for work that this span asks others to do."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{_SAMPLED if self.sampled else 0:02x}"

    def bind(self, ctx: Ctx | SystemCtx) -> None:
        """Say whose work it is, once that is known; logs and spans inside name the tenant and user from here on."""
        self.ctx = ctx
        if self._recorded is not None:
            self._recorded.set_attributes(_identity(ctx))

    def rename(self, name: str) -> None:
        """Give the span its final name, as after routing."""
        if self._recorded is not None:
            self._recorded.update_name(name)

    def set(self, **attributes: AttributeValue) -> None:
        if self._recorded is not None:
            self._recorded.set_attributes(plain(attributes))

    def event(self, name: str, **attributes: AttributeValue) -> None:
        if self._recorded is not None:
            self._recorded.add_event(name, plain(attributes), self._tracing.now_ns())

    def fail(self, error: BaseException) -> None:
        """Record that the work ended with `error`.

        A caller's mistake (an `AppError` below 500) and a cancellation are named and are no failure of this process.
        """
        if self._recorded is None:
            return
        if isinstance(error, AppError) and error.status < _SERVER_FAULT:
            self._recorded.set_attribute("error.type", error.code)
            return
        if not isinstance(error, Exception):
            self._recorded.set_attribute("error.type", type(error).__qualname__)
            return
        failure = describe(error)
        self._recorded.set_attribute("error.type", failure["type"])
        self._recorded.add_event(
            "exception",
            {f"exception.{key}": clean(value) for key, value in failure.items()},
            self._tracing.now_ns(),
        )
        self._recorded.set_status(Status(StatusCode.ERROR, clean(failure["message"])))

    def _enter_trace(self) -> None:
        """Continue the caller's trace, or start one."""
        header = self._parent
        if not header and isinstance(self.ctx, Ctx):
            header = self.ctx.traceparent
        remote = parse_traceparent(header) if header else None
        if remote is None:
            self.trace_id = self._tracing.ids.generate_trace_id()
            self._start(sampled=True, around=None)
        else:
            self.trace_id = remote.trace_id
            self.sampled = remote.trace_flags.sampled
            self._start(remote.trace_flags.sampled, remote)

    def _start(self, sampled: bool, around: "Span | SpanContext | None") -> None:  # noqa: FBT001 called per span
        if sampled and self._tracing.tracer is not None:
            self._record(around)
        else:
            self.span_id = self._tracing.ids.generate_span_id()

    def _record(self, around: "Span | SpanContext | None") -> None:
        tracer = self._tracing.tracer
        if tracer is None:
            return
        attributes = plain(self._attributes)
        if self.ctx is not None:
            attributes |= _identity(self.ctx)
        span = tracer.start_span(
            self._name, _otel_context(around), self._kind, attributes, start_time=self._tracing.now_ns()
        )
        made = span.get_span_context()
        self.trace_id = made.trace_id
        self.span_id = made.span_id
        self.sampled = made.trace_flags.sampled
        self._recorded = span if span.is_recording() else None

    def otel_span(self) -> SdkSpan:
        """The span as OpenTelemetry knows it, to be the parent of another."""
        return self._recorded or NonRecordingSpan(
            SpanContext(self.trace_id, self.span_id, is_remote=False, trace_flags=TraceFlags(int(self.sampled)))
        )


def _otel_context(around: Span | SpanContext | None) -> Context:
    """The parent as the SDK wants it; built from nothing, so that no ambient context slips in."""
    if around is None:
        return Context()
    parent = around.otel_span() if isinstance(around, Span) else NonRecordingSpan(around)
    return set_span_in_context(parent, Context())


def _identity(ctx: Ctx | SystemCtx) -> dict[str, AttributeValue]:
    if isinstance(ctx, SystemCtx):
        return {"steward.service": ctx.service, "steward.reason": ctx.reason}
    found: dict[str, AttributeValue] = {"steward.request.id": ctx.request_id}
    if ctx.tenant is not None:
        found["steward.tenant.id"] = str(ctx.tenant)
    if ctx.actor.type is ActorType.USER:
        found["user.id"] = ctx.actor.id
    return found


_ACTIVE: ContextVar[Span | None] = ContextVar("steward_span", default=None)


def current_span() -> Span | None:
    """The innermost open span of this task."""
    return _ACTIVE.get()
