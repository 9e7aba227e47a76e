"""The circuit breaker: leaves an upstream alone that fails again and again, and tries it now and then."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from enum import StrEnum

from steward.kit.clock import Clock
from steward.kit.http.errors import CircuitOpen


class BreakerState(StrEnum):
    CLOSED = "closed"
    """Calls go through."""
    OPEN = "open"
    """Calls are refused until the next probe is due."""
    PROBING = "probing"
    """One call is under way whose outcome decides."""


class Permit:
    """Leave for one call, to be settled once: a second settlement, or one that comes too late, does nothing."""

    __slots__ = ("_settle",)

    def __init__(self, settle: "Callable[[bool | None], None]") -> None:
        self._settle: Callable[[bool | None], None] | None = settle

    def succeeded(self) -> None:
        """The upstream answered."""
        self._once(succeeded=True)

    def failed(self) -> None:
        """The upstream failed."""
        self._once(succeeded=False)

    def abandoned(self) -> None:
        """The call ended without telling anything of the upstream."""
        self._once(succeeded=None)

    def _once(self, *, succeeded: bool | None) -> None:
        if self._settle is not None:
            settle, self._settle = self._settle, None
            settle(succeeded)


class CircuitBreaker:
    """Opens after `failures` failed calls in a row; from `probe_after_s` later on lets one call through at a time.

    A probe that succeeds closes it, one that fails opens it for another `probe_after_s`. A probe that is not settled
    within `probe_after_s` counts as lost and the next call becomes the probe. Calls that were admitted before the
    last change of state change nothing when they end.
    """

    def __init__(self, clock: Clock, name: str, *, failures: int = 5, probe_after_s: float = 30.0) -> None:
        self._clock = clock
        self._name = name
        self._limit = failures
        self._probe_after_s = probe_after_s
        self._state = BreakerState.CLOSED
        self._failures = 0
        self._next_probe = 0.0
        self._epoch = 0

    @property
    def state(self) -> BreakerState:
        """Where the breaker stands."""
        return self._state

    def admit(self) -> Permit:
        """Leave for one call. Raises `CircuitOpen` with the seconds until the next probe."""
        if self._state is not BreakerState.CLOSED:
            now = self._clock.monotonic()
            if now < self._next_probe:
                raise CircuitOpen(self._name, self._next_probe - now)
            self._enter(BreakerState.PROBING)
        epoch = self._epoch

        def settle(succeeded: bool | None) -> None:  # noqa: FBT001 three outcomes of one call, private to the permit
            if epoch == self._epoch:
                self._settle(succeeded=succeeded)

        return Permit(settle)

    def _settle(self, *, succeeded: bool | None) -> None:
        if succeeded is None:
            if self._state is BreakerState.PROBING:
                self._enter(BreakerState.OPEN)
                self._next_probe = self._clock.monotonic()
        elif succeeded:
            self._failures = 0
            if self._state is BreakerState.PROBING:
                self._enter(BreakerState.CLOSED)
        else:
            self._failures += 1
            if self._state is BreakerState.PROBING or self._failures >= self._limit:
                self._enter(BreakerState.OPEN)

    def _enter(self, state: BreakerState) -> None:
        self._state = state
        self._epoch += 1
        self._failures = 0
        self._next_probe = self._clock.monotonic() + self._probe_after_s


class Breakers:
    """One breaker for each key, made at need; of more than `max_entries` the least recently used is forgotten."""

    def __init__(
        self, clock: Clock, *, failures: int = 5, probe_after_s: float = 30.0, max_entries: int = 10_000
    ) -> None:
        self._clock = clock
        self._failures = failures
        self._probe_after_s = probe_after_s
        self._max_entries = max_entries
        self._breakers: OrderedDict[Hashable, CircuitBreaker] = OrderedDict()

    def __len__(self) -> int:
        return len(self._breakers)

    def of(self, key: Hashable, name: str) -> CircuitBreaker:
        """The breaker of a key; `name` is what its errors call the upstream."""
        breaker = self._breakers.get(key)
        if breaker is None:
            breaker = CircuitBreaker(self._clock, name, failures=self._failures, probe_after_s=self._probe_after_s)
            self._breakers[key] = breaker
            if len(self._breakers) > self._max_entries:
                self._breakers.popitem(last=False)
        else:
            self._breakers.move_to_end(key)
        return breaker
