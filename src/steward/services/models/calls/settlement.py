"""Reservations before calls leave, and their settlement after: each once, whatever happens in between."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError, Kind
from steward.kit.telemetry import Telemetry
from steward.services.costs.api import (
    Actual,
    CallId,
    CallInfo,
    CostsApi,
    Outcome,
    Reservation,
    Subject,
    WorstCase,
)
from steward.services.models.calls.backoff import pause
from steward.services.models.errors import ProvidersUnavailable

MAX_PENDING: Final = 10_000
"""Settlements that may wait for the costs service; with more no call is begun."""
_DEADLINE: Final = timedelta(seconds=30)
"""Of one attempt to settle: the caller's own may have passed."""
_UNSURE_TRIES: Final = 4
"""How often a reservation is looked for of which nobody knows whether it was made."""

_FINAL: Final = frozenset({Kind.INVALID, Kind.UNPROCESSABLE, Kind.FORBIDDEN, Kind.UNAUTHENTICATED, Kind.NOT_FOUND})
"""To be asked again does not help."""

# The codes of `costs.errors`, by which another service tells them apart.
_BUDGET_EXHAUSTED: Final = "budget_exhausted"
_PRICE_UNKNOWN: Final = "price_unknown"
_CALL_NOT_FOUND: Final = "call_not_found"


class NotReserved(Exception):
    """The costs service refuses the call, as `error` says; nothing was reserved."""

    def __init__(self, error: AppError) -> None:
        super().__init__(error.message)
        self.error = error


class NoBudget(NotReserved):
    """`BudgetExhausted`: for any candidate."""


class NoPrice(NotReserved):
    """`PriceUnknown`: of this candidate; another one may have a price."""


_REFUSALS: Final[Mapping[str, type[NotReserved]]] = {_BUDGET_EXHAUSTED: NoBudget, _PRICE_UNKNOWN: NoPrice}


class Ledger:
    """Stands between calls and the costs service."""

    def __init__(
        self, costs: Callable[[], CostsApi], clock: Clock, random: Callable[[], float], telemetry: Telemetry
    ) -> None:
        self._costs = costs
        self._clock = clock
        self._random = random
        self._log = telemetry.log
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pending(self) -> int:
        """Settlements that are not done."""
        return len(self._tasks)

    async def reserve(
        self, ctx: Ctx, call_id: CallId, subjects: Sequence[Subject], worst_case: WorstCase, info: CallInfo
    ) -> Reservation:
        """See `CostsApi.reserve`. Where it fails or is cancelled half-way, what may have been reserved is given back.

        Raises `NoBudget` and `NoPrice`, and `ProvidersUnavailable` while too many settlements wait.
        """
        if len(self._tasks) >= MAX_PENDING:
            reason = f"{len(self._tasks)} calls wait to be settled, for the costs service does not answer"
            raise ProvidersUnavailable(info.alias, reason, retry_after=1.0)
        try:
            return await self._costs().reserve(
                ctx, call_id=call_id, subjects=subjects, worst_case=worst_case, info=info
            )
        except BaseException as error:
            if isinstance(error, AppError) and error.code in _REFUSALS:
                raise _REFUSALS[error.code](error) from error
            outcome = Outcome.CANCELLED if isinstance(error, asyncio.CancelledError) else Outcome.FAILED
            self.settle(ctx, call_id, Actual(outcome=outcome), sure=False)
            raise

    def settle(self, ctx: Ctx, call_id: CallId, actual: Actual, *, sure: bool = True) -> "asyncio.Task[None]":
        """Settle in the background, again and again until it is done.

        `sure` says whether there is a reservation; if not, one that cannot be found is no defect.
        """
        task = asyncio.get_running_loop().create_task(self._settle(ctx, call_id, actual, sure=sure))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def drain(self, seconds: float) -> None:
        """Wait until everything is settled, for at most so many seconds; the rest costs charges as unknown."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=seconds)
        left = tuple(self._tasks)
        if left:
            self._log.error("calls were left unsettled", event_type="llm.unsettled", calls=len(left))
            for task in left:
                task.cancel()
            await asyncio.wait(left)

    async def _settle(self, ctx: Ctx, call_id: CallId, actual: Actual, *, sure: bool) -> None:
        tries = 0
        while True:
            tries += 1
            try:
                fresh = msgspec.structs.replace(ctx, deadline=self._clock.now() + _DEADLINE)
                await self._costs().settle(fresh, call_id=call_id, actual=actual)
            except Exception as error:  # noqa: BLE001 - whatever keeps costs from answering: it is asked again
                if self._is_final(call_id, error, tries, sure=sure):
                    return
            else:
                return
            await self._clock.sleep(pause(tries, None, self._random))

    def _is_final(self, call_id: CallId, error: Exception, tries: int, *, sure: bool) -> bool:
        """Whether it is not to be tried again; what went wrong is logged."""
        if isinstance(error, AppError) and error.code == _CALL_NOT_FOUND and not sure:
            return tries >= _UNSURE_TRIES
        if isinstance(error, AppError) and error.kind in _FINAL:
            self._refused(call_id, error)
            return True
        self._note(call_id, tries, error)
        return False

    def _refused(self, call_id: CallId, error: AppError) -> None:
        """Nothing is undercharged by it: what is not settled is charged at its reservation."""
        self._log.error(
            "a settlement was refused", event_type="llm.settle_refused", call_id=str(call_id), exc_info=error
        )

    def _note(self, call_id: CallId, tries: int, error: Exception) -> None:
        if tries == 1:
            reason = error.code if isinstance(error, AppError) else type(error).__qualname__
            self._log.warning(
                "a call was not settled, trying again",
                event_type="llm.settle_failed",
                call_id=str(call_id),
                reason=reason,
            )
