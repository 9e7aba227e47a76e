"""Metrics of calls to models: what providers answered, how fast, how much, and what waits."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from steward.kit.telemetry.series import OTHER, Series, SeriesMaker

CALL_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
FIRST_TOKEN_SECONDS: Final = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 20.0, 30.0)

_MAX_SERIES: Final = 2_000
"""Of a family that names models: tenants choose those names."""
_MAX_PROVIDERS: Final = 50
"""Tenants may name providers of their own; those beyond the first share `other`."""


class ModelMetrics:
    """`provider` is the provider's name in the price list, never a tenant's name of a connection."""

    def __init__(self, make: SeriesMaker, registry: CollectorRegistry) -> None:
        labels = ("provider", "model", "operation", "outcome")
        self._requests = make.counter(
            "steward_llm_requests_total", "Attempts at a provider that ended.", labels, _MAX_SERIES
        )
        self._tokens = make.counter(
            "steward_llm_tokens_total", "Tokens that providers counted.", ("provider", "model", "class"), _MAX_SERIES
        )
        self._seconds = make.histogram(
            "steward_llm_request_duration_seconds",
            "Time an attempt at a provider takes.",
            ("provider", "operation"),
            CALL_SECONDS,
        )
        self._first_token = make.histogram(
            "steward_llm_first_token_seconds",
            "Time to the first content of a streamed answer.",
            ("provider",),
            FIRST_TOKEN_SECONDS,
        )
        self._in_flight = make.gauge("steward_llm_in_flight", "Attempts that are under way.", ("provider",))
        self._queued = make.gauge("steward_llm_queued", "Calls that wait for a place at a provider.", ("provider",))
        self._open = make.gauge("steward_llm_breakers_open", "Connections that are left alone.", ("provider",))
        self._unsettled = Gauge("steward_llm_unsettled_calls", "Calls still to be settled.", registry=registry)
        self._providers: set[str] = set()
        self._answered: dict[tuple[str, str], dict[str, Counter]] = {}

    def ended(self, provider: str, model: str, operation: str, outcome: str, seconds: float) -> None:
        """An attempt ended; `outcome` is `succeeded`, `cancelled` or the kind of failure.

        A model that never answered is named `other`, so that misspelt names make no series.
        """
        provider = self._known(provider)
        name = model if (provider, model) in self._answered else OTHER
        self._requests(provider, name, operation, outcome).inc()
        self._seconds(provider, operation).observe(seconds)

    def used(self, provider: str, model: str, tokens: Mapping[str, int]) -> None:
        """A provider counted so many tokens of each class."""
        provider = self._known(provider)
        counters = self._answered.get((provider, model))
        if counters is None:
            counters = {kind: self._tokens(provider, model, kind) for kind in tokens}
            if len(self._answered) < _MAX_SERIES:
                self._answered[provider, model] = counters
        for kind, count in tokens.items():
            if count:
                counters[kind].inc(count)

    def first_token(self, provider: str, seconds: float) -> None:
        """The first content of a streamed answer came."""
        self._first_token(self._known(provider)).observe(seconds)

    def stand(self, in_flight: Mapping[str, int], queued: Mapping[str, int], breakers: Mapping[str, int]) -> None:
        """How things stand now, by provider; of breakers those that are open."""
        for gauge, now in ((self._in_flight, in_flight), (self._queued, queued), (self._open, breakers)):
            self._set_all(gauge, now)

    def unsettled(self, calls: int) -> None:
        self._unsettled.set(calls)

    def _set_all(self, gauge: Series[Gauge], now: Mapping[str, int]) -> None:
        others = 0
        for provider, count in now.items():
            if self._known(provider) == OTHER:
                others += count
                gauge(OTHER).set(others)
            else:
                gauge(provider).set(count)

    def _known(self, provider: str) -> str:
        if provider in self._providers:
            return provider
        if len(self._providers) >= _MAX_PROVIDERS:
            return OTHER
        self._providers.add(provider)
        return provider
