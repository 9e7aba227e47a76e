"""What the edge tells telemetry of: a span, a log line and metrics for each request."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Protocol

from steward.gateway.exchange import Exchange
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError
from steward.kit.telemetry import UNMATCHED, Span, SpanKind, Telemetry, current_span

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


class TelemetryObserver:
    """Tells `Telemetry`."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock

    @contextmanager
    def request(self, exchange: Exchange) -> Generator[None]:
        span = self._telemetry.span(
            exchange.method,
            kind=SpanKind.SERVER,
            traceparent=exchange.traceparent,
            attributes={"http.request.method": exchange.method, "url.path": exchange.path},
        )
        with span:
            try:
                yield
            finally:
                self._finish(exchange, span)

    def identified(self, ctx: Ctx) -> None:
        span = current_span()
        if span is not None:
            span.bind(ctx)

    def refused(self, error: AppError) -> None:
        self._telemetry.metrics.auth_failed(error.code)

    def limited(self, policy: str) -> None:
        self._telemetry.metrics.rate_limited(policy)

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
        values: dict[str, Any] = {
            "event_type": "http.request",
            "duration_ms": seconds * 1000,
            "method": exchange.method,
            "path": exchange.path,
            "status": exchange.status,
            "bytes": exchange.answered_bytes,
            "address": exchange.address,
            "request_id": exchange.request_id,
        }
        if exchange.error is None:
            self._telemetry.log.info("request answered", **values)
        else:
            self._telemetry.log.error("request broke", error_id=exchange.error_id, exc_info=exchange.error, **values)
