"""Calls to models, made for good: targets in turn, each attempt reserved and settled, one answer or one error."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import msgspec

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.ids import Ids
from steward.kit.telemetry import Telemetry
from steward.services.costs.api import CostsApi
from steward.services.models.api import CallOptions
from steward.services.models.calls.attempts import Attempts
from steward.services.models.calls.breakers import Health
from steward.services.models.calls.continuing import Continuing, may_continue
from steward.services.models.calls.continuing_streams import ContinuingStreams
from steward.services.models.calls.demands import LEAST_TOKENS, Bound, ChatDemand, EmbeddingDemand
from steward.services.models.calls.limits import Gates
from steward.services.models.calls.plan import Plan
from steward.services.models.calls.selection import chosen, in_order
from steward.services.models.calls.settlement import Ledger
from steward.services.models.calls.shots import EmbeddingShot, Shot, Whole, WholeShot
from steward.services.models.calls.state import CallState
from steward.services.models.calls.streams import Opened, StreamShot, failed_event
from steward.services.models.calls.telling import Telling
from steward.services.models.calls.trying import Hedge, Losers, first_answer
from steward.services.models.failures import ProviderFailure
from steward.services.models.messages import EmbeddingReply, EmbeddingRequest, ModelReply, StreamEvent
from steward.services.models.ports import Call, Resolved, Upstream

A = TypeVar("A")


class EmbeddingCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call for vectors, resolved."""

    ctx: Ctx
    request: EmbeddingRequest
    options: CallOptions
    resolved: Resolved


class ProviderCalls:
    """Implements `Calls`, and the same for embeddings. One of them a process, for limits and breakers are in it."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        costs: Callable[[], CostsApi],
        bound: Bound,
        clock: Clock,
        ids: Ids,
        random: Callable[[], float],
        telemetry: Telemetry,
        least_tokens: int = LEAST_TOKENS,
    ) -> None:
        """`costs` is asked at each call; `random` gives numbers in [0, 1).

        An answer may be cut down to `least_tokens` where a budget has no more, and below only if it was to be shorter.
        """
        telling = Telling(telemetry)
        self._upstream = upstream
        self._bound = bound
        self._least_tokens = least_tokens
        self._clock = clock
        self._random = random
        self._health = Health(clock)
        self._gates = Gates(clock)
        self._ledger = Ledger(costs, clock, random, telemetry)
        self._losers = Losers()
        self._attempts = Attempts(self._gates, self._health, self._ledger, telling, clock, ids)
        self._continuing = Continuing(self._attempts, upstream, bound)
        self._continuing_streams = ContinuingStreams(self._attempts, upstream, self._continuing)
        telling.watch(self._gates, self._health, self._ledger)

    async def complete(self, call: Call) -> ModelReply:
        """See `Calls`."""
        demand = ChatDemand(call.request, self._bound, least=self._least_tokens)
        shot = WholeShot(self._attempts, self._upstream, demand)
        whole = await self._first(call.ctx, call.options, call.resolved, shot, _forget)
        if may_continue(whole.attempt, call.request):
            return await self._continuing.rest_of(whole, call.request)
        return whole.reply

    async def stream(self, call: Call) -> AsyncGenerator[StreamEvent]:
        """See `Calls`."""
        demand = ChatDemand(call.request, self._bound, least=self._least_tokens)
        shot = StreamShot(self._attempts, self._upstream, demand)
        opened = await self._first(call.ctx, call.options, call.resolved, shot, Opened.close)
        continues = may_continue(opened.attempt, call.request)
        events = self._continuing_streams.read(opened, call.request) if continues else opened.events()
        async with aclosing(events):
            try:
                async for event in events:
                    yield event
            except ProviderFailure as failure:
                yield failed_event(opened, failure)

    async def embed(self, call: EmbeddingCall) -> EmbeddingReply:
        """Vectors of texts; fails as `Calls.complete` does."""
        shot = EmbeddingShot(self._attempts, self._upstream, EmbeddingDemand(call.request))
        return await self._first(call.ctx, call.options, call.resolved, shot, _forget)

    async def drain(self, seconds: float = 10.0) -> None:
        """Wait until every attempt that has ended is settled, for at most so many seconds; at the end of the process.

        No call may be under way any more.
        """
        await self._losers.drain(seconds)
        await self._ledger.drain(seconds)

    async def _first(
        self, ctx: Ctx, options: CallOptions, resolved: Resolved, shot: Shot[A], discard: Callable[[A], Awaitable[None]]
    ) -> A:
        """The first answer that any target gives."""
        state = CallState(ctx, options, resolved, self._clock)
        settings = resolved.settings
        targets, probe = self._health.arrange(in_order(chosen(resolved, options), self._random, self._gates.full))
        plan = Plan(state, targets, settings.attempts, self._clock, self._random, probe)
        if settings.hedge_after is None or not options.hedge or not plan.can_hedge:
            return await first_answer(plan, shot)
        return await Hedge(plan, shot, discard, self._clock, self._losers).answer(settings.hedge_after)


async def _forget(answer: Whole | EmbeddingReply) -> None:
    """A whole answer that came too late is settled already."""
