"""What the edge tells telemetry of: a span, a log line and metrics for each request."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Protocol

from steward.gateway.exchange import Exchange
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError
from steward.kit.telemetry import REQUEST_EVENT, UNMATCHED, Span, SpanKind, Telemetry, current_span

_SERVICE: Final = "gateway"


class EdgeObserver(Protocol):
    """What is told of the edge's work."""

    def request(self, exchange: Exchange) -> AbstractContextManager[None]:
        """Surrounds a request; at its end the exchange tells what was answered."""
        ...

    def identified(self, ctx: Ctx) -> None:
        """The caller of the request is known now."""
        ...

    def refused(self, error: AppError) -> None:
        """A credential was refused."""
        ...

    def limited(self, policy: str) -> None:
        """A rate limit was hit."""
        ...

    def sockets(self, count: int) -> None:
        """So many WebSockets are open now."""
        ...

    def socket_closed(self, exchange: Exchange, code: int, reason: str) -> None:
        """A WebSocket ends; the exchange is that of its handshake."""
        ...


class TelemetryObserver:
    """Tells `Telemetry`."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock

    def request(self, exchange: Exchange) -> AbstractContextManager[None]:
        span = self._telemetry.span(
            exchange.method,
            kind=SpanKind.SERVER,
            traceparent=exchange.traceparent,
            attributes={"http.request.method": exchange.method, "url.path": exchange.path},
        )
        return _Watch(span, exchange, self._finish)

    def identified(self, ctx: Ctx) -> None:
        span = current_span()
        if span is not None:
            span.bind(ctx)

    def refused(self, error: AppError) -> None:
        self._telemetry.metrics.auth_failed(error.code)

    def limited(self, policy: str) -> None:
        self._telemetry.metrics.rate_limited(policy)

    def sockets(self, count: int) -> None:
        self._telemetry.metrics.websockets(count)

    def socket_closed(self, exchange: Exchange, code: int, reason: str) -> None:
        self._telemetry.metrics.websocket_closed(code)
        self._telemetry.log.info(
            "websocket closed",
            event_type="websocket.closed",
            duration_ms=(self._clock.monotonic() - exchange.started_at) * 1000,
            path=exchange.path,
            code=code,
            reason=reason,
            address=exchange.address,
            request_id=exchange.request_id,
        )

    def _finish(self, exchange: Exchange, span: Span) -> None:
        seconds = self._clock.monotonic() - exchange.started_at
        route = exchange.template
        tenant = exchange.ctx.tenant if exchange.ctx is not None else None
        self._telemetry.metrics.request_done(_SERVICE, exchange.method, route, exchange.status, seconds, tenant=tenant)
        if span.recording:
            span.rename(f"{exchange.method} {route or UNMATCHED}")
            span.set(**{"http.route": route or UNMATCHED, "http.response.status_code": exchange.status})
            if exchange.error is not None:
                span.fail(exchange.error)
        self._log(exchange, seconds)

    def _log(self, exchange: Exchange, seconds: float) -> None:
        if exchange.error is None:
            self._telemetry.request_answered(exchange, seconds)
            return
        self._telemetry.log.error(
            "request broke",
            event_type=REQUEST_EVENT,
            duration_ms=seconds * 1000,
            method=exchange.method,
            path=exchange.path,
            status=exchange.status,
            bytes=exchange.answered_bytes,
            address=exchange.address,
            request_id=exchange.request_id,
            error_id=exchange.error_id,
            exc_info=exchange.error,
        )


class _Watch:
    """Surrounds one request with its span."""

    __slots__ = ("_exchange", "_finish", "_span")

    def __init__(self, span: Span, exchange: Exchange, finish: Callable[[Exchange, Span], None]) -> None:
        self._span = span
        self._exchange = exchange
        self._finish = finish

    def __enter__(self) -> None:
        self._span.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        try:
            self._finish(self._exchange, self._span)
        finally:
            self._span.__exit__(kind, error, stack)
