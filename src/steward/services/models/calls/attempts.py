"""One attempt at a provider: a call of its own in the ledger, from its reservation to its settlement."""

import asyncio
from typing import Final

from steward.kit.clock import Clock
from steward.kit.errors import DeadlineExceeded
from steward.kit.ids import Ids
from steward.services.costs.api import Actual, CallId, CallInfo, CallUsage, Outcome, Reservation, WorstCase
from steward.services.models.calls.breakers import Health, Leave
from steward.services.models.calls.demands import Demand
from steward.services.models.calls.limits import Gate, Gates
from steward.services.models.calls.settlement import Ledger
from steward.services.models.calls.state import CallState
from steward.services.models.calls.tally import NOTHING, Tally
from steward.services.models.calls.telling import Telling
from steward.services.models.calls.waiting import TimeLimit
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.ports import Target

_MOST_THINKERS: Final = 10_000


class Attempt:
    """Begun and reserved; to be ended by exactly one of `succeeded`, `failed`, `void` and `cancelled`."""

    __slots__ = (
        "_attempts",
        "_began",
        "_call_id",
        "_first_token_ms",
        "_gate",
        "_leave",
        "_span",
        "demand",
        "granted",
        "input_tokens",
        "settled",
        "state",
        "target",
        "wanted",
    )

    def __init__(
        self,
        attempts: "Attempts",
        state: CallState,
        demand: Demand,
        target: Target,
        call_id: CallId,
        worst: WorstCase,
        reservation: Reservation,
        gate: Gate,
        leave: Leave,
    ) -> None:
        self.state = state
        self.demand = demand
        self.target = target
        self.input_tokens = worst.input_tokens
        self.wanted = worst.output_tokens
        self.granted = min(reservation.output_tokens, worst.output_tokens)
        """Output tokens that may be asked for, for all choices together."""
        self.settled: asyncio.Task[None] | None = None
        """Its settlement, once it has ended."""
        self._attempts = attempts
        self._call_id = call_id
        self._gate = gate
        self._leave = leave
        self._span = attempts.telling.span(state.ctx, target, demand.operation, self.granted)
        self._began = attempts.clock.monotonic()
        self._first_token_ms: int | None = None

    def seconds(self) -> float:
        """What is left of the call, to be told to the provider's client. Raises `ProviderFailure` where nothing is."""
        left = self.state.left()
        if left <= 0:
            self.void()
            raise ProviderFailure(FailureKind.TIMED_OUT, "no time was left to ask", unbilled=True)
        return left

    def content_came(self) -> None:
        """The first content of a streamed answer is there."""
        seconds = self._attempts.clock.monotonic() - self._began
        self._first_token_ms = int(seconds * 1000)
        self._attempts.telling.first_token(self.target, seconds)

    def succeeded(self, usage: CallUsage, *, exact: bool, provider_id: str, answered_by: str) -> None:
        """The whole answer came."""
        self._leave.succeeded()
        if usage.reasoning_tokens:
            self._attempts.thought(self.target)
        self._attempts.telling.counted(self.target, usage, self._span, answered_by)
        self._end("succeeded", Outcome.SUCCEEDED, usage, exact=exact, provider_id=provider_id)

    def failed(self, failure: ProviderFailure, tally: Tally | None = None) -> None:
        """The provider failed; `tally` is what had come of a stream."""
        self._leave.failed(failure.kind)
        self._attempts.health.watch(self.target)
        self._attempts.telling.failed(self.target, failure, self._attempts.clock.monotonic() - self._began)
        if failure.kind is FailureKind.RATE_LIMITED and failure.retry_after is not None:
            self._gate.pushed_back(failure.retry_after)
        self._span.fail(failure)
        outcome = Outcome.TIMED_OUT if failure.kind is FailureKind.TIMED_OUT else Outcome.FAILED
        if failure.unbilled:
            self._end(failure.kind.value, outcome, NOTHING, exact=True, provider_id="")
        else:
            self._end_unknown(failure.kind.value, outcome, tally)

    def void(self) -> None:
        """Nothing was sent, for the request cannot be said to this provider."""
        self._leave.abandoned()
        self._end("not_sent", Outcome.FAILED, NOTHING, exact=True, provider_id="")

    def cancelled(self, tally: Tally | None = None) -> None:
        """The caller left, or somebody else's answer was taken."""
        self._leave.abandoned()
        self._end_unknown("cancelled", Outcome.CANCELLED, tally)

    def broke(self, error: BaseException, tally: Tally | None = None) -> None:
        """Something of ours broke, or the work was cancelled."""
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            self.cancelled(tally)
        else:
            self._leave.abandoned()
            self._span.fail(error)
            self._end_unknown("error", Outcome.FAILED, tally)

    def bound(self, tally: Tally) -> CallUsage:
        """At most so much was used by a stream whose last word did not come."""
        demand = self.demand
        return tally.bound(self.input_tokens, self.granted, demand.choices, reads_more=demand.reads_more)

    def _end_unknown(self, told: str, outcome: Outcome, tally: Tally | None) -> None:
        """Without the provider's last word: a bound from above."""
        if tally is None:
            usage = CallUsage(input_tokens=self.input_tokens, output_tokens=self.granted)
        else:
            tally.thinks = tally.thinks or self._attempts.thinks(self.target)
            usage = self.bound(tally)
        self._end(told, outcome, usage, exact=False, provider_id="" if tally is None else tally.id)

    def _end(self, told: str, outcome: Outcome, usage: CallUsage, *, exact: bool, provider_id: str) -> None:
        attempts = self._attempts
        seconds = attempts.clock.monotonic() - self._began
        self._gate.leave(self.input_tokens + self.wanted, usage.input_tokens + usage.output_tokens)
        attempts.telling.ended(self.target, self.demand.operation, told, seconds)
        self._span.__exit__(None, None, None)
        actual = Actual(
            outcome=outcome,
            usage=usage,
            exact=exact,
            latency_ms=int(seconds * 1000),
            first_token_ms=self._first_token_ms,
            provider_id=provider_id[:200],
        )
        self.settled = attempts.ledger.settle(self.state.costs_ctx, self._call_id, actual)


class Attempts:
    """Begins attempts: a place at the connection first, then the reservation; only then anything may be sent."""

    def __init__(self, gates: Gates, health: Health, ledger: Ledger, telling: Telling, clock: Clock, ids: Ids) -> None:
        self.gates = gates
        self.health = health
        self.ledger = ledger
        self.telling = telling
        self.clock = clock
        self._ids = ids
        self._thinkers: set[tuple[str, str]] = set()

    async def begin(self, state: CallState, demand: Demand, target: Target, probe: Leave | None = None) -> Attempt:
        """Raises `Busy`, `NoBudget`, `NoPrice`, and what else `CostsApi.reserve` raises; nothing is held then."""
        endpoint = target.endpoint
        candidate = target.candidate
        worst = WorstCase(
            provider=endpoint.prices,
            model=candidate.price_as or candidate.model,
            input_tokens=demand.input_tokens(candidate),
            output_tokens=demand.output_tokens(candidate),
            least_output_tokens=demand.least_output_tokens(candidate),
            tier=demand.tier,
        )
        gate = self.gates.of(endpoint)
        tokens = worst.input_tokens + worst.output_tokens
        leave = probe or self.health.admit(target)
        try:
            if not gate.try_enter():
                seconds = min(endpoint.queue_seconds, state.left())
                await gate.enter(state.ctx.tenant, tokens, seconds, low=state.low)
            return await self._reserve(state, demand, target, worst, gate, leave)
        except BaseException:
            leave.abandoned()
            raise

    async def _reserve(
        self, state: CallState, demand: Demand, target: Target, worst: WorstCase, gate: Gate, leave: Leave
    ) -> Attempt:
        info = CallInfo(
            request_id=state.ctx.request_id,
            alias=state.alias,
            connection=target.endpoint.name,
            operation=demand.operation,
            tags=state.tags,
        )
        call_id = CallId(self._ids.new())
        try:
            with TimeLimit(max(0.0, state.left())):
                reservation = await self.ledger.reserve(state.costs_ctx, call_id, state.subjects, worst, info)
        except BaseException as error:
            gate.leave(worst.input_tokens + worst.output_tokens, 0)
            if isinstance(error, TimeoutError):
                raise DeadlineExceeded("the costs service made no reservation before the deadline") from error
            raise
        return Attempt(self, state, demand, target, call_id, worst, reservation, gate, leave)

    def thinks(self, target: Target) -> bool:
        """Whether this model was seen to count reasoning, which it need not show."""
        return (target.endpoint.prices, target.candidate.model) in self._thinkers

    def thought(self, target: Target) -> None:
        """Remember that this model counted reasoning."""
        if len(self._thinkers) < _MOST_THINKERS:
            self._thinkers.add((target.endpoint.prices, target.candidate.model))
