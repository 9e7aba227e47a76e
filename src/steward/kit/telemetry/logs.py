"""Structured logs: each record becomes one line with the same eleven fields, masked and bounded.

Everything that is not a field of its own (`LogLine`) goes under `data`. Tenant, user and trace come from the current
span, so features log what happened and nothing about who asked.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, BinaryIO, Protocol, cast

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger

from steward.kit.clock import Clock
from steward.kit.context import ActorType, Ctx, SystemCtx
from steward.kit.ids import text_of
from steward.kit.telemetry.failures import describe
from steward.kit.telemetry.masking import clean, clean_again, plain
from steward.kit.telemetry.settings import LogLevel
from steward.kit.telemetry.traces import Span, current_span

_MAX_NAME = 128
_EVENT_TYPE = "log"
REQUEST_EVENT = "http.request"
REQUEST_MESSAGE = "request answered"
_FLUSH_SECONDS = 0.01
"""How long a line of the access log may wait for others, where one left just before it."""

Event = MutableMapping[str, Any]

_NOBODY = (None, None, None)
_WITHOUT_OFFSET = -len("+00:00")


class LogLine(msgspec.Struct, kw_only=True):
    """One record. A field that does not apply is null; none is ever missing."""

    timestamp: str
    """RFC 3339, UTC, to the millisecond."""
    level: str
    service: str
    trace_id: str | None
    """W3C trace id, 32 hex digits."""
    span_id: str | None
    tenant_id: str | None
    user_id: str | None
    event_type: str
    """A stable name for programs, such as `user.invited`; `log` where the caller gave none."""
    message: str
    duration_ms: float | None
    data: dict[str, Any]


Render = Callable[[LogLine], bytes]

_encoder = msgspec.json.Encoder()


def render_json(line: LogLine) -> bytes:
    """The line as one JSON object and a line feed."""
    return _encoder.encode(line) + b"\n"


class Answered(Protocol):
    """What the access log tells of a request."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def answered_bytes(self) -> int: ...
    @property
    def address(self) -> str: ...
    @property
    def request_id(self) -> str: ...


class Formatter:
    """The one structlog processor: makes the masked line of an event and renders it."""

    def __init__(self, service: str, clock: Clock, render: Render) -> None:
        self._service = service
        self._clock = clock
        self._render = render

    def __call__(self, _: object, level: str, event: Event) -> bytes:
        return self._render(self.line(level, event))

    def answered(self, request: Answered, milliseconds: float) -> bytes:
        """The line of a request that was answered: as `__call__` makes it, by way of the values that it can have."""
        span = current_span()
        data: dict[str, Any] = {
            "method": clean_again(request.method),
            "path": clean_again(request.path),
            "status": request.status,
            "bytes": request.answered_bytes,
            "address": clean(request.address),
            "request_id": clean(request.request_id),
        }
        tenant, user, actor = _NOBODY if span is None else _speaker(span.ctx)
        if actor is not None:
            data["actor"] = actor
        return self._render(
            LogLine(
                timestamp=self._timestamp(),
                level="info",
                service=self._service,
                trace_id=f"{span.trace_id:032x}" if span else None,
                span_id=f"{span.span_id:016x}" if span else None,
                tenant_id=tenant,
                user_id=user,
                event_type=REQUEST_EVENT,
                message=REQUEST_MESSAGE,
                duration_ms=round(milliseconds, 3),
                data=data,
            )
        )

    def _timestamp(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds")[:_WITHOUT_OFFSET] + "Z"

    def line(self, level: str, event: Event) -> LogLine:
        _add_failure(event)
        span = current_span()
        _add_context(event, span)
        duration = event.pop("duration_ms", None)
        if duration is not None and not isinstance(duration, int | float):
            event["duration"], duration = duration, None
        return LogLine(
            timestamp=self._timestamp(),
            level=level,
            service=_name(event.pop("service", None)) or self._service,
            trace_id=_name(event.pop("trace_id", None)) or (f"{span.trace_id:032x}" if span else None),
            span_id=_name(event.pop("span_id", None)) or (f"{span.span_id:016x}" if span else None),
            tenant_id=_name(event.pop("tenant_id", None)),
            user_id=_name(event.pop("user_id", None)),
            event_type=_name(event.pop("event_type", None)) or _EVENT_TYPE,
            message=clean(str(event.pop("event", ""))),
            duration_ms=None if duration is None else round(float(duration), 3),
            data=plain(event),
        )


class LineSink:
    """Writes lines to a binary stream, each in one piece.

    A line that cannot be written (a closed pipe, a full disk) is counted by `dropped` and lost: telemetry never breaks
    the work that it tells of.
    """

    def __init__(self, stream: BinaryIO, dropped: Callable[[], None]) -> None:
        self._stream = stream
        self._dropped = dropped
        self._waiting = 0
        """Lines that were given to the stream and may not have left it yet."""
        self._flushed_at = 0.0
        """By the clock of the event loop."""

    def write(self, line: bytes) -> None:
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):
            self._dropped()

    def write_soon(self, line: bytes) -> None:
        """Write a line, in one system call with others of the same moment; for the main thread.

        After a quiet moment it leaves in this round of the event loop.
        """
        try:
            self._stream.write(line)
        except (OSError, ValueError):
            self._dropped()
            return
        self._waiting += 1
        if self._waiting == 1:
            loop = asyncio.get_running_loop()
            wait = self._flushed_at + _FLUSH_SECONDS - loop.time()
            if wait > 0:
                loop.call_later(wait, self._flush, loop)
            else:
                loop.call_soon(self._flush, loop)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, 0
        self._flushed_at = loop.time()
        try:
            self._stream.flush()
        except (OSError, ValueError):
            for _ in range(waiting):
                self._dropped()

    def flush(self) -> None:
        """Let what waits leave now; at the end of the process."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._dropped()

    # structlog calls the method that is named after the record's level.
    debug = info = warning = error = critical = write


def make_logger(sink: LineSink, formatter: Formatter, level: LogLevel) -> FilteringBoundLogger:
    """A logger that owes nothing to structlog's global configuration; `bind` gives it fixed values."""
    proxy = structlog.wrap_logger(
        cast("Any", sink),
        processors=[formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level.value),
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return proxy.bind()


def _name(value: object) -> str | None:
    return None if value is None else clean(str(value), _MAX_NAME)


def _add_failure(event: Event) -> None:
    """Turn structlog's `exc_info` (an exception, its tuple, or true for the one being handled) into `error`."""
    given = event.pop("exc_info", None)
    if not given:
        return
    match given:
        case BaseException():
            failure = given
        case (_, BaseException() as failure, _):
            pass
        case _:
            failure = sys.exception()
    if failure is not None:
        event["error"] = describe(failure)


def _add_context(event: Event, span: Span | None) -> None:
    """Add who it is about, from the current span, below what the caller said itself."""
    if span is not None and span.ctx is not None:
        for key, value in identity(span.ctx).items():
            event.setdefault(key, value)


def _speaker(ctx: Ctx | SystemCtx | None) -> tuple[str | None, str | None, str | None]:
    """Tenant, user and other actor that a request's context names, cleaned; as `identity`, for the access log."""
    if ctx is None or isinstance(ctx, SystemCtx):
        return _NOBODY
    tenant = None if ctx.tenant is None else text_of(ctx.tenant)
    actor = ctx.actor
    if actor.type is ActorType.USER:
        return tenant, clean(actor.id, _MAX_NAME), None
    if not actor.id:
        return tenant, None, None
    named = f"{actor.type}/{actor.id}"
    return tenant, None, named if clean(actor.id) == actor.id else clean(named)


def identity(ctx: Ctx | SystemCtx) -> Mapping[str, str]:
    """Who a context speaks for, under the names that log lines use."""
    if isinstance(ctx, SystemCtx):
        return {"service": ctx.service, "reason": ctx.reason}
    found = {"request_id": ctx.request_id}
    if ctx.tenant is not None:
        found["tenant_id"] = str(ctx.tenant)
    if ctx.actor.type is ActorType.USER:
        found["user_id"] = ctx.actor.id
    elif ctx.actor.id:
        found["actor"] = f"{ctx.actor.type.value}/{ctx.actor.id}"
    return found
