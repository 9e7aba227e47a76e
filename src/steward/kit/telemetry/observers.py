"""The observers that other parts of the kit take, told to logs, metrics and spans.

Each fits a port by shape (`kit.db.Observer`, `kit.bus.BusObserver`, `kit.cache.CacheObserver`,
`kit.intents.IntentObserver`), so that telemetry and those parts do not import each other.
"""

from types import TracebackType
from typing import NamedTuple

from opentelemetry.trace import SpanKind

from steward.kit.clock import Clock
from steward.kit.errors import AppError, Kind
from steward.kit.outbox import StoredEvent
from steward.kit.telemetry.metrics import TransactionOutcome
from steward.kit.telemetry.telemetry import Telemetry
from steward.kit.telemetry.traces import Span

# A consumer that handled its last event and saw none for this long has nothing waiting.
_CAUGHT_UP_S = 15.0


class DatabaseObserver:
    """A span, a count and a duration for each transaction; a warning for each slow statement."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock

    def transaction(self, service: str, tenant: str) -> "_Transaction":
        return _Transaction(self._telemetry, self._clock, service, tenant)

    def slow(self, service: str, statement: str, seconds: float) -> None:
        self._telemetry.metrics.statement_was_slow(service)
        self._telemetry.log.warning(
            "slow statement",
            event_type="db.slow_statement",
            service=service,
            duration_ms=seconds * 1000,
            statement=statement,
        )

    def traceparent(self) -> str:
        return self._telemetry.traceparent()


class _Transaction:
    __slots__ = ("_clock", "_service", "_span", "_started", "_telemetry")

    def __init__(self, telemetry: Telemetry, clock: Clock, service: str, tenant: str) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._service = service
        self._started = 0.0
        self._span = telemetry.span(
            "transaction",
            kind=SpanKind.CLIENT,
            attributes={"db.system.name": "postgresql", "db.namespace": service, "steward.tenant.id": tenant},
        )

    def __enter__(self) -> None:
        self._started = self._clock.monotonic()
        self._span.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        seconds = self._clock.monotonic() - self._started
        self._telemetry.metrics.transaction_done(self._service, _outcome(error), seconds)
        self._span.__exit__(kind, error, stack)


def _outcome(error: BaseException | None) -> TransactionOutcome:
    if error is None:
        return "committed"
    return "unavailable" if isinstance(error, AppError) and error.kind is Kind.UNAVAILABLE else "rolled_back"


class _Delivery(NamedTuple):
    lag: float
    at: float
    waiting: bool
    """Whether the event has still to be handled."""


class BusObserver:
    """Counts deliveries, logs failures and shows how far each consumer is behind."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._log = telemetry.log
        self._metrics = telemetry.metrics
        self._clock = clock
        self._last: dict[str, _Delivery] = {}
        self._metrics.before_scrape(self._show_lag)

    def delivering(self, consumer: str, event: StoredEvent) -> Span:
        """A span in the trace of the work that emitted the event."""
        return self._telemetry.span(
            f"process {event.type}",
            kind=SpanKind.CONSUMER,
            traceparent=event.traceparent,
            attributes={
                "messaging.system": "steward",
                "messaging.operation.type": "process",
                "messaging.consumer.group.name": consumer,
                "messaging.message.id": str(event.id),
                "steward.tenant.id": str(event.tenant),
            },
        )

    def handled(self, consumer: str, event: StoredEvent, lag_seconds: float) -> None:  # noqa: ARG002 the port's shape
        self._metrics.event_delivered(consumer, "handled")
        self._last[consumer] = _Delivery(lag_seconds, self._clock.monotonic(), waiting=False)

    def failed(self, consumer: str, event: StoredEvent, attempt: int, error: Exception) -> None:
        self._metrics.event_delivered(consumer, "failed")
        lag = (self._clock.now() - event.at).total_seconds()
        self._last[consumer] = _Delivery(lag, self._clock.monotonic(), waiting=True)
        self._tell("bus.delivery_failed", "event not handled, it is tried again", consumer, event, error, attempt)

    def parked(self, consumer: str, event: StoredEvent, error: Exception) -> None:
        self._metrics.event_delivered(consumer, "parked")
        self._last[consumer] = _Delivery(0.0, self._clock.monotonic(), waiting=False)
        self._tell("bus.event_parked", "event given up and parked for a person to look at", consumer, event, error)

    def broke(self, consumer: str, error: Exception) -> None:
        self._metrics.event_delivered(consumer, "broke")
        self._log.error(
            "consumer stopped, it is started again", event_type="bus.broke", consumer=consumer, exc_info=error
        )

    def _tell(
        self, kind: str, message: str, consumer: str, event: StoredEvent, error: Exception, attempt: int | None = None
    ) -> None:
        self._log.error(
            message,
            event_type=kind,
            tenant_id=event.tenant,
            consumer=consumer,
            event_id=event.id,
            event_name=event.type,
            request_id=event.request_id,
            attempt=attempt,
            exc_info=error,
        )

    def _show_lag(self) -> None:
        now = self._clock.monotonic()
        for consumer, last in list(self._last.items()):
            since = now - last.at
            settled = 0.0 if since > _CAUGHT_UP_S else last.lag
            self._metrics.bus_lag(consumer, last.lag + since if last.waiting else settled)


class CacheObserver:
    """Counts the look-ups of one cache.

    Every request has several, so they are added up here and told when the metrics are read.
    """

    def __init__(self, telemetry: Telemetry, cache: str) -> None:
        self._metrics = telemetry.metrics
        self._cache = cache
        self._hits = 0
        self._misses = 0
        self._metrics.before_scrape(self._tell)

    def hit(self) -> None:
        self._hits += 1

    def miss(self) -> None:
        self._misses += 1

    def _tell(self) -> None:
        hits, self._hits = self._hits, 0
        misses, self._misses = self._misses, 0
        if hits:
            self._metrics.cache_used(self._cache, hit=True, times=hits)
        if misses:
            self._metrics.cache_used(self._cache, hit=False, times=misses)

    def evicted(self) -> None:
        self._metrics.cache_evicted(self._cache)


class IntentObserver:
    """Counts and logs multi-step operations that did not end at once."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._log = telemetry.log
        self._metrics = telemetry.metrics

    def resumed(self, kind: str) -> None:
        self._metrics.intent_went(kind, "resumed")
        self._log.info("unfinished operation taken up again", event_type="intent.resumed", kind=kind)

    def undone(self, kind: str, step: str, error: AppError) -> None:
        self._metrics.intent_went(kind, "undone")
        self._log.warning(
            "operation undone", event_type="intent.undone", kind=kind, step=step, code=error.code, reason=error.message
        )

    def stuck(self, kind: str, attempts: int, error: Exception) -> None:
        self._metrics.intent_went(kind, "stuck")
        self._log.error("operation stuck", event_type="intent.stuck", kind=kind, attempts=attempts, exc_info=error)
