"""The calls of a submission's lines in the ledger."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError
from steward.services.costs.api import Actual, CallId, CallInfo, CallUsage, CostsApi, Outcome, Reservation, WorstCase
from steward.services.models.api import CallOptions
from steward.services.models.batches.shipping.questions import Answer, Question
from steward.services.models.calls.state import subjects_of
from steward.services.models.calls.tally import exact, is_counted
from steward.services.models.ports import Resolved

OPTIONS: Final = CallOptions(low_priority=True)
AT_A_TIME: Final = 16
BUDGET_EXHAUSTED: Final = "budget_exhausted"

_PRICE_UNKNOWN: Final = "price_unknown"
_CALL_NOT_FOUND: Final = "call_not_found"
_DEADLINE: Final = timedelta(seconds=30)

A = TypeVar("A")
B = TypeVar("B")


class Refused(msgspec.Struct, frozen=True):
    """Nothing is held for the line."""

    code: str


class LineLedger:
    """Reserves and settles at the price of batches. What fails for want of the costs service is raised."""

    def __init__(self, costs: Callable[[], CostsApi], clock: Clock) -> None:
        self._costs = costs
        self._clock = clock

    async def reserve(self, ctx: Ctx, call: UUID, question: Question, resolved: Resolved) -> Reservation | Refused:
        """Leave to make a line's call."""
        endpoint, candidate = resolved.targets[0].endpoint, resolved.targets[0].candidate
        demand = question.demand
        worst = WorstCase(
            provider=endpoint.prices,
            model=candidate.price_as or candidate.model,
            input_tokens=demand.input_tokens(candidate),
            output_tokens=demand.output_tokens(candidate),
            least_output_tokens=demand.least_output_tokens(candidate),
            batch=True,
        )
        info = CallInfo(request_id=ctx.request_id, alias=resolved.alias, connection=endpoint.name, operation="batch")
        try:
            return await self._costs().reserve(
                self._service(ctx),
                call_id=CallId(call),
                subjects=subjects_of(ctx, OPTIONS),
                worst_case=worst,
                info=info,
            )
        except AppError as error:
            if error.code in {BUDGET_EXHAUSTED, _PRICE_UNKNOWN}:
                return Refused(error.code)
            raise

    async def succeeded(self, ctx: Ctx, call: UUID, answer: Answer, bound: CallUsage) -> None:
        """By the provider's count; by the bound where it counted nothing."""
        counted = is_counted(answer.usage)
        actual = Actual(
            outcome=Outcome.SUCCEEDED,
            usage=exact(answer.usage) if counted else bound,
            exact=counted,
            provider_id=answer.provider_id[:200],
        )
        await self._settle(ctx, call, actual)

    async def unread(self, ctx: Ctx, call: UUID, bound: CallUsage) -> None:
        """The provider made it, and what it answered cannot be read."""
        await self._settle(ctx, call, Actual(outcome=Outcome.FAILED, usage=bound, exact=False))

    async def unbilled(self, ctx: Ctx, call: UUID, outcome: Outcome = Outcome.FAILED) -> None:
        """The provider made nothing of it; no matter whether it was ever reserved."""
        try:
            await self._settle(ctx, call, Actual(outcome=outcome))
        except AppError as error:
            if error.code != _CALL_NOT_FOUND:
                raise

    async def _settle(self, ctx: Ctx, call: UUID, actual: Actual) -> None:
        await self._costs().settle(self._service(ctx), call_id=CallId(call), actual=actual)

    def _service(self, ctx: Ctx) -> Ctx:
        fresh = msgspec.structs.replace(ctx, deadline=self._clock.now() + _DEADLINE)
        return fresh.as_service("models", "service:costs")


async def some_at_a_time(do: Callable[[A], Awaitable[B]], items: Iterable[A]) -> Sequence[B]:
    """Do the same for all; the first failure is raised when those begun with it have ended."""
    todo, done = list(items), list[B]()
    for start in range(0, len(todo), AT_A_TIME):
        found = await asyncio.gather(*(do(one) for one in todo[start : start + AT_A_TIME]), return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException):
                raise one
            done.append(one)
    return done
