"""What one connection can take: calls at a time, requests and tokens a minute, and the provider's own word on it."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from steward.kit.clock import Clock
from steward.kit.ids import TenantId
from steward.services.models.calls.places import Places
from steward.services.models.calls.rates import Bucket
from steward.services.models.ports import Endpoint

MAX_GATES: Final = 10_000
"""Connections that are remembered; the one unused for longest is forgotten."""
_LONGEST_PAUSE_S: Final = 60.0
"""For how long a provider's Retry-After holds other calls back: it is asked again at least this often."""
_SOON_S: Final = 1.0


class Busy(Exception):
    """A connection has no room for a call now. Nobody was asked and nothing was reserved."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"no room for {retry_after:g} s")
        self.retry_after = retry_after


class Gate:
    """Before one revision of one connection. Who enters must leave, once."""

    def __init__(self, endpoint: Endpoint, clock: Clock) -> None:
        self.provider = endpoint.prices
        self.places = Places(endpoint.max_concurrency, clock)
        self._clock = clock
        per_minute = endpoint.requests_per_minute, endpoint.tokens_per_minute
        self._requests = Bucket(per_minute[0], clock) if per_minute[0] is not None else None
        self._tokens = Bucket(per_minute[1], clock) if per_minute[1] is not None else None
        self._limited = per_minute != (None, None)
        self._paused_until: float | None = None

    @property
    def full(self) -> bool:
        """Whether a call would have to wait for a place, or for the provider's leave."""
        return not self.places.free or self._paused() > 0

    def try_enter(self) -> bool:
        """Enter at once, where nothing but the number of calls limits; else `enter` is to be asked."""
        return not self._limited and self._paused_until is None and self.places.try_take()

    async def enter(self, tenant: TenantId | None, tokens: int, seconds: float, *, low: bool) -> None:
        """Wait for at most so many seconds. Raises `Busy`; then nothing is taken."""
        wait = max(self._take_rates(tokens, low=low), self._paused())
        try:
            await self._wait(tenant, wait, seconds, low=low)
        except BaseException:
            self._give_back_rates(tokens)
            raise

    def leave(self, tokens: int, used: int) -> None:
        """The call has ended: it had entered with so many tokens and used so many."""
        self.places.give_back()
        if self._tokens is not None:
            self._tokens.correct(tokens, used)

    def pushed_back(self, retry_after: float) -> None:
        """The provider wants to be left alone for so many seconds."""
        until = self._clock.monotonic() + min(retry_after, _LONGEST_PAUSE_S)
        self._paused_until = max(until, self._paused_until or until)

    async def _wait(self, tenant: TenantId | None, wait: float, seconds: float, *, low: bool) -> None:
        """Wait for the rates, then for a place."""
        if wait > seconds:
            raise Busy(wait)
        began = self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)
        rest = seconds - (self._clock.monotonic() - began)
        if not await self.places.take(tenant, rest, low=low):
            raise Busy(_SOON_S)

    def _paused(self) -> float:
        if self._paused_until is None:
            return 0.0
        left = self._paused_until - self._clock.monotonic()
        if left <= 0:
            self._paused_until = None
        return max(0.0, left)

    def _take_rates(self, tokens: int, *, low: bool) -> float:
        wait = 0.0
        if self._requests is not None:
            wait = self._requests.take(1, low=low)
        if self._tokens is not None:
            wait = max(wait, self._tokens.take(tokens, low=low))
        return wait

    def _give_back_rates(self, tokens: int) -> None:
        if self._requests is not None:
            self._requests.correct(1, 0)
        if self._tokens is not None:
            self._tokens.correct(tokens, 0)


class Gates:
    """The gate of each revision of each connection. A new revision begins with a new gate."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gates: OrderedDict[UUID, Gate] = OrderedDict()

    def __iter__(self) -> Iterator[Gate]:
        return iter(self._gates.values())

    def full(self, endpoint: Endpoint) -> bool:
        """Whether a call to an endpoint would have to wait."""
        gate = self._gates.get(endpoint.revision)
        return gate is not None and gate.full

    def of(self, endpoint: Endpoint) -> Gate:
        """The gate of an endpoint."""
        gate = self._gates.get(endpoint.revision)
        if gate is None:
            gate = self._gates[endpoint.revision] = Gate(endpoint, self._clock)
            if len(self._gates) > MAX_GATES:
                self._gates.popitem(last=False)
        else:
            self._gates.move_to_end(endpoint.revision)
        return gate
