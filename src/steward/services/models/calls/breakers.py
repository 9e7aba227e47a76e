"""Which endpoints are left alone because they keep failing: a circuit breaker each, and how many may be left out."""

from collections.abc import Iterator, Sequence
from typing import Final

from steward.kit.clock import Clock
from steward.kit.http import Breakers, BreakerState, CircuitBreaker, CircuitOpen, Permit
from steward.kit.ids import TenantId
from steward.services.models.failures import FailureKind
from steward.services.models.ports import Target

_LEAST_HEALTHY: Final = 0.3
"""With a smaller share of healthy targets none is left out: what fails everywhere is not helped by asking fewer."""
_MOST_EJECTED: Final = 0.5
_SHOWN_S: Final = 300.0
"""For how long an open breaker that nobody calls is shown in the metrics: its connection may be gone."""

_ANSWERED: Final = frozenset({FailureKind.REFUSED, FailureKind.CONTEXT, FailureKind.NOT_FOUND})
"""The endpoint works: it was the request that was wrong."""


class Leave:
    """What is to be told to the breakers of one attempt, once."""

    __slots__ = ("_health", "_model", "_permit", "_target")

    def __init__(self, health: "Health", target: Target, permit: Permit | None, model: Permit | None) -> None:
        self._health = health
        self._target = target
        self._permit = permit
        self._model = model

    def succeeded(self) -> None:
        """The provider answered."""
        if self._permit is not None:
            self._permit.succeeded()
        if self._model is not None:
            self._model.succeeded()

    def failed(self, kind: FailureKind) -> None:
        """A rate limit tells nothing of health; a request at fault shows that the endpoint works."""
        if kind is FailureKind.NOT_FOUND:
            self._health.model_missing(self._target, self._model)
        elif self._model is not None:
            self._model.abandoned()
        if self._permit is None:
            return
        if kind in _ANSWERED:
            self._permit.succeeded()
        elif kind is FailureKind.RATE_LIMITED:
            self._permit.abandoned()
        else:
            self._permit.failed()

    def abandoned(self) -> None:
        """The attempt ended without telling anything."""
        if self._permit is not None:
            self._permit.abandoned()
        if self._model is not None:
            self._model.abandoned()


class Health:
    """The breakers of all endpoints, one for each revision; 5 failures in a row open it, after 30 s one call probes.

    A model that an endpoint does not have is held against this model alone: one tenant's misspelt name must not take
    the connection from the others.
    """

    def __init__(self, clock: Clock) -> None:
        self._endpoints = Breakers(clock)
        self._models = Breakers(clock)
        self._clock = clock
        self._open: dict[tuple[TenantId | None, str], tuple[CircuitBreaker, str, float]] = {}

    def arrange(self, targets: Sequence[Target]) -> "tuple[Sequence[Target], Leave | None]":
        """Healthy targets in their order, then those that fail but may not be left out; and leave to probe the first.

        At most half of the targets are left out, and none where fewer than 30 % are healthy.
        """
        healthy: list[Target] = []
        failing: list[Target] = []
        probe: Leave | None = None
        for target in targets:
            if self._closed(target) or (not healthy and (probe := self._probe(target)) is not None):
                healthy.append(target)
            else:
                failing.append(target)
        if not failing:
            return targets, probe
        ejected = int(len(targets) * _MOST_EJECTED) if len(healthy) >= _LEAST_HEALTHY * len(targets) else 0
        kept = failing[: max(0, len(failing) - ejected)]
        return [*healthy, *kept], probe

    def admit(self, target: Target) -> Leave:
        """Leave for an attempt, whatever the breakers say: `arrange` has decided."""
        return Leave(self, target, _permit(self._endpoint(target)), _permit(self._model(target)))

    def model_missing(self, target: Target, permit: Permit | None) -> None:
        """The endpoint knows no such model."""
        permit = permit or _permit(self._models.of((target.endpoint.revision, target.candidate.model), _name(target)))
        if permit is not None:
            permit.failed()

    def watch(self, target: Target) -> None:
        """After a failure: remember the breaker for the metrics where it is open."""
        breaker = self._endpoint(target)
        if breaker.state is not BreakerState.CLOSED:
            endpoint = target.endpoint
            self._open[endpoint.owner, endpoint.name] = (breaker, endpoint.prices, self._clock.monotonic())

    def open_by_provider(self) -> Iterator[str]:
        """The provider of each breaker that is not closed."""
        shown_since = self._clock.monotonic() - _SHOWN_S
        for key, (breaker, provider, failed_at) in list(self._open.items()):
            if breaker.state is BreakerState.CLOSED or failed_at < shown_since:
                del self._open[key]
            else:
                yield provider

    def _closed(self, target: Target) -> bool:
        model = self._model(target)
        return self._endpoint(target).state is BreakerState.CLOSED and (
            model is None or model.state is BreakerState.CLOSED
        )

    def _probe(self, target: Target) -> Leave | None:
        """Leave to try a target whose breakers are open, where it is due."""
        model = self._model(target)
        permit = _permit(self._endpoint(target))
        if permit is None:
            return None
        model_permit = _permit(model)
        if model is not None and model_permit is None:
            permit.abandoned()
            return None
        return Leave(self, target, permit, model_permit)

    def _endpoint(self, target: Target) -> CircuitBreaker:
        return self._endpoints.of(target.endpoint.revision, target.endpoint.name)

    def _model(self, target: Target) -> CircuitBreaker | None:
        if not len(self._models):
            return None
        return self._models.of((target.endpoint.revision, target.candidate.model), _name(target))


def _name(target: Target) -> str:
    return f"{target.endpoint.name}/{target.candidate.model}"


def _permit(breaker: CircuitBreaker | None) -> Permit | None:
    if breaker is None:
        return None
    try:
        return breaker.admit()
    except CircuitOpen:
        return None
