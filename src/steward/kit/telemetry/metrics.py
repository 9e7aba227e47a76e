"""Metrics: every figure that a process shows to Prometheus, one typed method for each thing that happens.

Labels are bounded: routes are templates, methods are known ones, tenants beyond the first few share `other`, and each
family has a hard limit of series besides. A metric is here only when something feeds it.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from steward.kit.clock import Clock
from steward.kit.ids import TenantId
from steward.kit.telemetry.model_metrics import ModelMetrics
from steward.kit.telemetry.process import ProcessUsage
from steward.kit.telemetry.series import OTHER, LateGauge, SeriesMaker

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNMATCHED = "unmatched"

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Histogram buckets: 1 ms to 30 s, with an edge at each limit that an alert names."""

MAX_SERIES = 5_000
"""Series of one family; one of a histogram is 17 lines."""

Side = Literal["server", "client"]
TransactionOutcome = Literal["committed", "rolled_back", "unavailable"]
EventOutcome = Literal["handled", "failed", "parked", "broke"]
IntentOutcome = Literal["resumed", "undone", "stuck"]
ChatOutcome = Literal["answered", "cached", "degraded", "late", "streamed"]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


class _Timed(NamedTuple):
    requests: Counter
    seconds: Histogram


class Metrics:
    """The process's metrics, in a registry of their own."""

    def __init__(self, clock: Clock, tenant_labels: int) -> None:
        self.registry = CollectorRegistry()
        self._before_scrape: list[Callable[[], None]] = []
        self._requests: dict[tuple[str, str, str | None, int], _Timed] = {}
        make = SeriesMaker(self.registry, MAX_SERIES)
        self._define_edge(make, tenant_labels)
        self._define_parts(make)
        self.models = ModelMetrics(make, self.registry)
        self._active_sessions = LateGauge("steward_active_sessions", "Log-in sessions that are live.", self.registry)
        self._active_conversations = LateGauge(
            "steward_active_conversations", "Conversations with a message in the last 5 minutes.", self.registry
        )
        self._websockets = LateGauge("steward_websockets_open", "WebSockets that are open.", self.registry)
        self._audit_unsealed = LateGauge(
            "steward_audit_unsealed_seconds", "Age of the oldest audit entry that no seal covers yet.", self.registry
        )
        self._log_lines_dropped = Counter(
            "steward_log_lines_dropped_total", "Log lines that could not be written.", registry=self.registry
        )
        self.registry.register(ProcessUsage(clock))

    def _define_edge(self, make: SeriesMaker, tenant_labels: int) -> None:
        request = ("service", "method", "route")
        self._request_count = make.counter("steward_requests_total", "HTTP requests answered.", (*request, "status"))
        self._request_seconds = make.histogram(
            "steward_request_duration_seconds", "Time to answer an HTTP request.", request, SECONDS
        )
        self._tenant_requests = make.counter(
            "steward_tenant_requests_total", "HTTP requests by tenant.", ("tenant",), tenant_labels
        )
        self._rate_limited = make.counter("steward_rate_limited_total", "Requests refused by a rate limit.", ("limit",))
        self._auth_failures = make.counter("steward_auth_failures_total", "Credentials refused.", ("reason",))
        self._websocket_closes = make.counter("steward_websocket_closes_total", "WebSockets ended.", ("code",))
        rpc = ("service", "method", "side")
        self._rpc_count = make.counter("steward_rpc_requests_total", "gRPC calls ended.", (*rpc, "code"))
        self._rpc_seconds = make.histogram("steward_rpc_duration_seconds", "Time a gRPC call takes.", rpc, SECONDS)

    def _define_parts(self, make: SeriesMaker) -> None:
        self._transactions = make.counter(
            "steward_db_transactions_total", "Database transactions ended.", ("service", "outcome")
        )
        self._transaction_seconds = make.histogram(
            "steward_db_transaction_duration_seconds", "Time a transaction is open.", ("service",), SECONDS
        )
        self._slow_statements = make.counter(
            "steward_db_slow_statements_total", "Statements over the time limit of the log.", ("service",)
        )
        self._pool = make.gauge("steward_db_pool_connections", "Connections of this process's pool.", ("state",))
        self._cache = make.counter("steward_cache_hits_total", "Cache look-ups.", ("cache", "outcome"))
        self._cache_evictions = make.counter(
            "steward_cache_evictions_total", "Live cache entries that made room for others.", ("cache",)
        )
        self._events = make.counter(
            "steward_bus_events_total", "Deliveries of events to consumers.", ("consumer", "outcome")
        )
        self._lag = make.gauge(
            "steward_bus_lag_seconds", "How far a consumer is behind: the age of the event it works on.", ("consumer",)
        )
        self._intents = make.counter(
            "steward_intents_total", "Multi-step operations that did not end at once.", ("kind", "outcome")
        )
        self._tool_calls = make.counter("steward_tool_calls_total", "Calls of tools.", ("tool", "outcome"))
        self._tool_seconds = make.histogram(
            "steward_tool_call_duration_seconds", "Time a call of a tool takes.", ("tool",), SECONDS
        )
        self._chat_seconds = make.histogram(
            "steward_chat_duration_seconds", "Time from a customer's message to its answer.", ("outcome",), SECONDS
        )
        self._hand_offs = make.counter("steward_hand_offs_total", "Tickets opened for a person.", ("reason",))
        self._audit_entries = make.counter("steward_audit_entries_total", "Audit entries sealed.", ("service",))

    def request_done(
        self,
        service: str,
        method: str,
        route: str | None,
        status: int,
        seconds: float,
        *,
        tenant: TenantId | None = None,
    ) -> None:
        """An HTTP request was answered. `route` is the route's template, None where none matched."""
        key = (service, method if method in _METHODS else OTHER.upper(), route, status)
        timed = self._requests.get(key) or self._timed_request(key)
        timed.requests.inc()
        timed.seconds.observe(seconds)
        if tenant is not None:
            self._tenant_requests(tenant).inc()

    def _timed_request(self, key: tuple[str, str, str | None, int]) -> _Timed:
        service, method, route, status = key
        route = UNMATCHED if route is None else route
        timed = _Timed(
            self._request_count(service, method, route, status), self._request_seconds(service, method, route)
        )
        if len(self._requests) < MAX_SERIES:
            self._requests[key] = timed
        return timed

    def websockets(self, count: int) -> None:
        """So many WebSockets are open now."""
        self._websockets.set(count)

    def websocket_closed(self, code: int) -> None:
        """A WebSocket ended; `code` is one of the edge's close codes, 1005 where the caller left."""
        self._websocket_closes(code).inc()

    def rpc_done(self, service: str, method: str, side: Side, code: str, seconds: float) -> None:
        """A gRPC call ended with a status code such as `OK`. `method` is one of the contract's, else `unmatched`."""
        self._rpc_count(service, method, side, code).inc()
        self._rpc_seconds(service, method, side).observe(seconds)

    def transaction_done(self, service: str, outcome: TransactionOutcome, seconds: float) -> None:
        self._transactions(service, outcome).inc()
        self._transaction_seconds(service).observe(seconds)

    def statement_was_slow(self, service: str) -> None:
        self._slow_statements(service).inc()

    def pool_connections(self, *, idle: int, used: int) -> None:
        self._pool("idle").set(idle)
        self._pool("used").set(used)

    def cache_used(self, cache: str, *, hit: bool, times: int = 1) -> None:
        self._cache(cache, "hit" if hit else "miss").inc(times)

    def cache_evicted(self, cache: str) -> None:
        self._cache_evictions(cache).inc()

    def event_delivered(self, consumer: str, outcome: EventOutcome) -> None:
        self._events(consumer, outcome).inc()

    def bus_lag(self, consumer: str, seconds: float) -> None:
        self._lag(consumer).set(seconds)

    def intent_went(self, kind: str, outcome: IntentOutcome) -> None:
        self._intents(kind, outcome).inc()

    def tool_called(self, tool: str, outcome: str, seconds: float) -> None:
        """A call of a tool ended; tool and outcome are names of the catalogue, never a caller's text."""
        self._tool_calls(tool, outcome).inc()
        self._tool_seconds(tool).observe(seconds)

    def chat_done(self, outcome: ChatOutcome, seconds: float) -> None:
        """A customer's message was answered, or its customer was told that it takes longer."""
        self._chat_seconds(outcome).observe(seconds)

    def handed_off(self, reason: str) -> None:
        """A ticket was opened; `reason` is one of the contract's."""
        self._hand_offs(reason).inc()

    def active_conversations(self, count: int) -> None:
        self._active_conversations.set(count)

    def audit_sealed(self, service: str, entries: int) -> None:
        """Entries that `service` wrote were sealed."""
        self._audit_entries(service).inc(entries)

    def audit_unsealed(self, seconds: float) -> None:
        """Age of the oldest unsealed entry now; 0 when there is none."""
        self._audit_unsealed.set(seconds)

    def rate_limited(self, limit: str) -> None:
        """A request was refused; `limit` is the kind of limit (`user`, `address`, `key`), never who hit it."""
        self._rate_limited(limit).inc()

    def auth_failed(self, reason: str) -> None:
        """A credential was refused; `reason` is an error code."""
        self._auth_failures(reason).inc()

    def active_sessions(self, count: int) -> None:
        self._active_sessions.set(count)

    def log_line_dropped(self) -> None:
        self._log_lines_dropped.inc()

    def before_scrape(self, refresh: Callable[[], None]) -> None:
        """Have `refresh` called before each exposition, to set gauges that are cheap to read (such as a pool's)."""
        self._before_scrape.append(refresh)

    def exposition(self) -> bytes:
        """All metrics in Prometheus text format; its content type is `CONTENT_TYPE`."""
        for refresh in self._before_scrape:
            refresh()
        return generate_latest(_Exposed(self.registry))


class _Exposed(Collector):
    """A registry without the `_created` gauges, which double the lines of the text format and which nothing reads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
