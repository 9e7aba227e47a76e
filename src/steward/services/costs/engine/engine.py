"""One process's part in reserving and settling: gathers calls, sends them together, and shows that it is alive."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import asyncpg

from steward.kit.clock import Clock
from steward.kit.context import SystemCtx
from steward.kit.db import ServiceDb, Tx
from steward.kit.db.errors import TransactionConflict
from steward.kit.errors import AppError, Unavailable
from steward.kit.ids import Ids, TenantId
from steward.kit.telemetry import Telemetry
from steward.services.costs.engine.batches import Batches, Waiting, unheard
from steward.services.costs.engine.notices import Notices
from steward.services.costs.errors import BudgetExhausted, CallSettled, PriceUnknown
from steward.services.costs.records import Ask, Ending, Hit, Told
from steward.services.costs.repository.engine import EngineSystemRepository

SILENT: Final = timedelta(seconds=15)
"""A process that was silent for so long is dead, and its calls in flight are charged."""
BEAT_SECONDS: Final = 2.0
OLD: Final = timedelta(hours=26)
"""A call in flight for longer was forgotten, for no provider takes more than a day; it is charged, too."""
_USD: Final = "usd"
_FORGOTTEN: Final = timedelta(hours=1)
_MOST: Final = 256
_SWEPT_AT_ONCE: Final = 500
_TRIES: Final = 4
_AGAIN_SECONDS: Final = 0.5
_STOP_SECONDS: Final = 5.0

T = TypeVar("T")
R = TypeVar("R")


class Granted(NamedTuple):
    """What a call may use."""

    nanos: int
    output_tokens: int
    again: bool = False
    """Whether it was granted before, so that giving it back is not this caller's to do."""


class Engine:
    """Reserves and settles for one process; the database knows it as a holder of calls in flight."""

    def __init__(self, db: ServiceDb, clock: Clock, ids: Ids, telemetry: Telemetry) -> None:
        self._db = db
        self._clock = clock
        self._log = telemetry.log
        self._rows = EngineSystemRepository()
        self._asks = Batches[Ask, Granted]("costs-reserve", _MOST, self._reserve)
        self._endings = Batches[Ending, bool]("costs-settle", _MOST, self._settle)
        self._hits = Batches[Hit, None]("costs-record", _MOST, self._record)
        self._releases = Batches[tuple[TenantId, UUID], None]("costs-release", _MOST, self._release)
        # What is given up by one goes into the next.
        self._pending = (self._asks, self._endings, self._hits, self._releases)
        self.holder = ids.new()
        self.notices = Notices(db, telemetry)

    async def reserve(self, ask: Ask) -> Granted:
        """Hold back what a call can use. Raises `BudgetExhausted`, `PriceUnknown`, `CallSettled`, `Unavailable`.

        A caller that leaves meanwhile, or does not hear of success, holds nothing.
        """
        future = self._asks.add(ask)
        try:
            return await future
        except asyncio.CancelledError:
            # Cancelled between the answer and its hearing.
            if not future.cancelled() and future.exception() is None and not future.result().again:
                self._give_back(ask)
            raise

    async def settle(self, ending: Ending) -> bool:
        """Settle a call in flight; False where there is none. It will be, even if this raises `Unavailable`."""
        return await self._endings.add(ending)

    async def record(self, hit: Hit) -> None:
        """Write a call that cost nothing; it will be, even if this raises `Unavailable`."""
        await self._hits.add(hit)

    async def beat(self) -> None:
        """Show that this process is alive."""
        async with self._once("a living process") as tx:
            await self._rows.beat(tx, self.holder, self._clock.now())

    async def sweep(self) -> int:
        """Charge the calls of dead processes at their reservation; how many."""
        now, swept = self._clock.now(), 0
        while True:
            async with self._once("calls of dead processes") as tx:
                count = await self._rows.sweep(
                    tx, now, silent_since=now - SILENT, old_since=now - OLD, most=_SWEPT_AT_ONCE
                )
            swept += count
            if count < _SWEPT_AT_ONCE:
                break
        async with self._once("dead processes") as tx:
            await self._rows.forget_holders(tx, now - _FORGOTTEN)
        await self.notices.publish()
        return swept

    async def settled(self) -> None:
        """Wait for what is on its way to the database, events included."""
        for batches in self._pending:
            await batches.drain()
        await self.notices.stop()

    async def stop(self) -> None:
        """Wait for what is on its way to the database, for at most 5 s, and leave."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.settled()
                async with self._once("a process that stops") as tx:
                    await self._rows.leave(tx, self.holder)
        except (TimeoutError, Unavailable) as error:
            self._log.warning("stopped before every call was settled: they will be charged in full", exc_info=error)
            for batches in self._pending:
                batches.cancel()

    async def _reserve(self, batch: Sequence[Waiting[Ask, Granted]]) -> None:
        asked = _distinct(batch, lambda ask: ask.call_id, self._asks)
        asks = [waiting.item for waiting in asked]
        try:
            told = await self._sent("reserve", lambda tx: self._rows.reserve(tx, self._clock.now(), self.holder, asks))
        except Exception as error:  # noqa: BLE001 - told to those who wait; whether it was committed nobody knows
            if len(asked) > 1 and not isinstance(error, Unavailable):
                for waiting in asked:
                    await self._reserve([waiting])
                return
            for waiting in asked:
                waiting.answer(error)
                self._give_back(waiting.item)
            return
        words = {word.place: word for word in told}
        for place, waiting in enumerate(asked, 1):
            answer = _granted(waiting.item, words.get(place))
            if not waiting.answer(answer) and isinstance(answer, Granted) and not answer.again:
                self._give_back(waiting.item)

    async def _settle(self, batch: Sequence[Waiting[Ending, bool]]) -> None:
        ended = _distinct(batch, lambda ending: ending.call_id, self._endings)
        endings = [waiting.item for waiting in ended]

        async def send(tx: Tx) -> None:
            settled = await self._rows.settle(tx, self._clock.now(), endings)
            if settled.notices:
                self.notices.publish_soon()
            missing = frozenset(settled.missing or ())
            for place, waiting in enumerate(ended, 1):
                waiting.answer(place not in missing)

        await self._deliver("settle", ended, send, self._endings, self._alone)

    async def _record(self, batch: Sequence[Waiting[Hit, None]]) -> None:
        met = _distinct(batch, lambda hit: hit.call_id, self._hits)

        async def send(tx: Tx) -> None:
            await self._rows.record(tx, self._clock.now(), [waiting.item for waiting in met])
            for waiting in met:
                waiting.answer(None)

        await self._deliver("record", met, send, self._hits, self._dropped)

    async def _release(self, batch: Sequence[Waiting[tuple[TenantId, UUID], None]]) -> None:
        async def send(tx: Tx) -> None:
            await self._rows.release(tx, [waiting.item for waiting in batch])

        await self._deliver("release", batch, send, self._releases, self._dropped)

    def _give_back(self, ask: Ask) -> None:
        """Nobody will settle it, if it was reserved at all."""
        self._releases.add((ask.tenant, ask.call_id)).add_done_callback(unheard)

    async def _deliver(
        self,
        what: str,
        batch: Sequence[Waiting[T, R]],
        send: Callable[[Tx], Awaitable[None]],
        batches: Batches[T, R],
        give_up: Callable[[Waiting[T, R], Exception], Awaitable[None]],
    ) -> None:
        """Send until it is done: later while the database does not answer, one by one where something is refused."""
        try:
            await self._sent(what, send)
        except Unavailable as error:
            for waiting in batch:
                waiting.answer(error)
            await self._clock.sleep(_AGAIN_SECONDS)
            for waiting in batch:
                batches.put(waiting)
        except Exception as error:  # noqa: BLE001 - one call must not keep the others from being settled
            if len(batch) == 1:
                await give_up(batch[0], error)
                return
            for waiting in batch:
                await batches.send([waiting])

    async def _alone(self, waiting: Waiting[Ending, bool], error: Exception) -> None:
        """A call that cannot be settled: it was reserved again after it was settled, or the database refuses it."""
        ending = waiting.item
        if isinstance(error, asyncpg.UniqueViolationError):
            self._releases.add((ending.tenant, ending.call_id)).add_done_callback(unheard)
            waiting.answer(result=False)
            return
        await self._dropped(waiting, error)

    async def _dropped(self, waiting: Waiting[T, R], error: Exception) -> None:
        self._log.error("the database refuses a call's entry", exc_info=error)
        waiting.answer(error)

    async def _sent(self, what: str, send: Callable[[Tx], Awaitable[R]]) -> R:
        """Run one statement, again where it met another one's locks."""
        for _ in range(_TRIES - 1):
            try:
                async with self._once(what) as tx:
                    return await send(tx)
            except TransactionConflict:
                continue
        async with self._once(what) as tx:
            return await send(tx)

    def _once(self, reason: str) -> AbstractAsyncContextManager[Tx]:
        return self._db.system_once(SystemCtx(reason=reason, service="costs"))


def _distinct(
    batch: Sequence[Waiting[T, R]], key: Callable[[T], UUID], batches: Batches[T, R]
) -> Sequence[Waiting[T, R]]:
    """In the order of their ids, as all statements lock them; what comes twice goes into the next batch."""
    found: dict[UUID, Waiting[T, R]] = {}
    for waiting in batch:
        if found.setdefault(key(waiting.item), waiting) is not waiting:
            batches.put(waiting)
    return [found[one] for one in sorted(found)]


def _granted(ask: Ask, word: Told | None) -> Granted | AppError:
    if word is None:
        return Granted(ask.nanos, ask.output_tokens)
    if word.nanos is not None and word.output is not None:
        return Granted(word.nanos, word.output, word.before)
    if word.unpriced:
        return PriceUnknown(ask.provider, ask.model)
    if word.budget_id is None:
        return CallSettled(ask.call_id)
    least = ask.least_output_tokens
    return BudgetExhausted(
        word.budget_id,
        word.budget,
        limit=word.limit,
        used=word.used,
        unit=word.unit,
        resets_at=word.resets_at,
        needs=ask.bound.nanos(least) if word.unit == _USD else ask.input_tokens + least,
    )
