"""Metric families whose number of series is bounded by construction."""

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)

OTHER = "other"


class Series(Generic[M]):
    """The children of one metric by their label values, at most `bound`; what comes later shares one, all `other`.

    A child is looked up in a dictionary, which costs a tenth of the client library's own look-up.
    """

    __slots__ = ("_bound", "_children", "_metric", "_overflow")

    def __init__(self, metric: M, labels: int, bound: int) -> None:
        self._metric = metric
        self._bound = bound
        self._children: dict[tuple[Hashable, ...], M] = {}
        self._overflow = (OTHER,) * labels

    def __call__(self, *values: Hashable) -> M:
        found = self._children.get(values)
        return found if found is not None else self._add(values)

    def _add(self, values: tuple[Hashable, ...]) -> M:
        if len(self._children) >= self._bound:
            values = self._overflow
            if values in self._children:
                return self._children[values]
        child = self._metric.labels(*values)
        self._children[values] = child
        return child


class SeriesMaker:
    """Makes the families of one registry."""

    def __init__(self, registry: CollectorRegistry, bound: int) -> None:
        self._registry = registry
        self._bound = bound

    def counter(self, name: str, text: str, labels: Sequence[str], bound: int | None = None) -> Series[Counter]:
        return self._make(Counter(name, text, labels, registry=self._registry), labels, bound)

    def gauge(self, name: str, text: str, labels: Sequence[str]) -> Series[Gauge]:
        return self._make(Gauge(name, text, labels, registry=self._registry), labels, None)

    def histogram(self, name: str, text: str, labels: Sequence[str], buckets: Sequence[float]) -> Series[Histogram]:
        metric = Histogram(name, text, labels, registry=self._registry, buckets=buckets)
        return self._make(metric, labels, None)

    def _make(self, metric: M, labels: Sequence[str], bound: int | None) -> Series[M]:
        return Series(metric, len(labels), self._bound if bound is None else bound)


class LateGauge:
    """A gauge without labels that is not shown before its first value, for a made-up zero would be a lie."""

    def __init__(self, name: str, text: str, registry: CollectorRegistry) -> None:
        self._make: Callable[[], Gauge] = lambda: Gauge(name, text, registry=registry)
        self._gauge: Gauge | None = None

    def set(self, value: float) -> None:
        if self._gauge is None:
            self._gauge = self._make()
        self._gauge.set(value)
