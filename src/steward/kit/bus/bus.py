"""The bus: a worker for each consumer, which reads outboxes in order and hands the events on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from steward.kit.bus.repository import EVENTS, Cursors, Position, Reader, Row
from steward.kit.bus.wake import Wake
from steward.kit.clock import Clock
from steward.kit.db import Database
from steward.kit.outbox import StoredEvent

Handler = Callable[[StoredEvent], Awaitable[None]]

HELD_BACK_SECONDS = 0.005
"""First pause before another look at events that an older transaction, which still runs, holds back."""


class BusSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the event bus."""

    batch: Annotated[int, Meta(ge=1, le=10_000, description="Events read at once.")] = 200
    gather_seconds: Annotated[
        float, Meta(ge=0, le=1, description="How long events are gathered before they are read together.")
    ] = 0.01
    poll_seconds: Annotated[float, Meta(gt=0, description="Longest wait between two looks at an outbox.")] = 1.0
    attempts: Annotated[int, Meta(ge=1, description="Tries before an event that fails is set aside.")] = 8
    retention_hours: Annotated[int, Meta(ge=1, description="How long handled events stay in the outbox.")] = 168


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer of events."""

    name: str
    """Unique; the cursor is kept under it."""
    sources: Sequence[str]
    """The services whose events it wants."""
    handler: Handler
    """Called with each event in order; it must bear to see one twice. What it raises is retried."""
    broadcast: bool = False
    """Every process gets every event from its start on, instead of one process for all."""


class BusObserver(Protocol):
    """What is told of the bus's work; telemetry implements it."""

    def delivering(self, consumer: str, event: StoredEvent) -> AbstractContextManager[object]:
        """Surrounds each try to handle an event; a failure passes through it."""
        ...

    def handled(self, consumer: str, event: StoredEvent, lag_seconds: float) -> None: ...

    def failed(self, consumer: str, event: StoredEvent, attempt: int, error: Exception) -> None: ...

    def parked(self, consumer: str, event: StoredEvent, error: Exception) -> None: ...

    def broke(self, consumer: str, error: Exception) -> None: ...


class NullBusObserver:
    """Watches nothing."""

    def delivering(self, consumer: str, event: StoredEvent) -> AbstractContextManager[object]:  # noqa: ARG002 - the port's shape
        return nullcontext()

    def handled(self, consumer: str, event: StoredEvent, lag_seconds: float) -> None:
        """Ignore it."""

    def failed(self, consumer: str, event: StoredEvent, attempt: int, error: Exception) -> None:
        """Ignore it."""

    def parked(self, consumer: str, event: StoredEvent, error: Exception) -> None:
        """Ignore it."""

    def broke(self, consumer: str, error: Exception) -> None:
        """Ignore it."""


class Bus:
    """Delivers events to the consumers of this process."""

    def __init__(
        self, database: Database, wake: Wake, settings: BusSettings, clock: Clock, observer: BusObserver | None = None
    ) -> None:
        self._reader = Reader(database)
        self._cursors = Cursors(database)
        self._wake = wake
        self._settings = settings
        self._clock = clock
        self._observer = observer or NullBusObserver()
        self._subscriptions: list[Subscription] = []
        self._tasks: list[asyncio.Task[None]] = []

    def subscribe(self, subscription: Subscription) -> None:
        """Add a consumer; before `start`."""
        if any(known.name == subscription.name for known in self._subscriptions):
            message = f"there is a consumer named {subscription.name!r} already: each needs a name of its own"
            raise ValueError(message)
        self._subscriptions.append(subscription)

    async def start(self) -> None:
        for subscription in self._subscriptions:
            for source in subscription.sources:
                start = await self._reader.tip(source) if subscription.broadcast else None
                task = self._work(subscription, source, start)
                self._tasks.append(asyncio.create_task(task, name=f"bus-{subscription.name}-{source}"))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def sweep(self, sources: Sequence[str]) -> int:
        """Delete events of these services that every group consumer has handled and that are past their retention.

        How many. Consumers of any process count from their first start on, so one process can sweep for all.
        """
        before = self._clock.now() - timedelta(hours=self._settings.retention_hours)
        deleted = 0
        for source in sources:
            upto = await self._cursors.slowest(source) or await self._reader.tip(source)
            deleted += await self._reader.delete(source, EVENTS, upto, before)
        return deleted

    async def _work(self, subscription: Subscription, source: str, start: Position | None) -> None:
        signal = self._wake.waiter(source)
        position = start
        while True:
            try:
                if not subscription.broadcast and not await self._wake.try_lock(f"bus:{subscription.name}:{source}"):
                    position = None
                    await self._clock.sleep(self._settings.poll_seconds)
                    continue
                if position is None:
                    loaded = await self._cursors.load(subscription.name, source)
                    await self._reader.check(source, loaded)
                    position = loaded
                position = await self._drain(subscription, source, position, signal)
            except Exception as error:  # noqa: BLE001 a consumer must outlive any failure; it is reported and tried again
                self._observer.broke(subscription.name, error)
                position = position if subscription.broadcast else None
                await self._clock.sleep(self._settings.poll_seconds)

    async def _drain(
        self, subscription: Subscription, source: str, position: Position, signal: asyncio.Event
    ) -> Position:
        """Handle all there is, then wait until there may be more."""
        signal.clear()
        pause = HELD_BACK_SECONDS
        while True:
            batch = await self._reader.read(source, EVENTS, position, self._settings.batch)
            for row in batch.rows:
                await self._deliver(subscription, row)
                position = row.position
            if batch.rows and not subscription.broadcast:
                await self._cursors.save(subscription.name, source, position)
            if batch.held_back:
                # Longer each time nothing came: the older transaction may last, and each look reads the same again.
                pause = HELD_BACK_SECONDS if batch.rows else pause
                if pause > self._settings.poll_seconds:
                    return position
                await self._clock.sleep(pause)
                pause *= 2
            elif len(batch.rows) < self._settings.batch:
                await self._pause(signal)
                return position

    async def _pause(self, signal: asyncio.Event) -> None:
        """Wait until something is committed, then a moment for more, so that one look serves many commits."""
        try:
            # Not wait_for, which in Python 3.11 takes a wake-up for the end of being cancelled.
            async with asyncio.timeout(self._settings.poll_seconds):
                await signal.wait()
        except TimeoutError:
            return
        await self._clock.sleep(self._settings.gather_seconds)

    async def _deliver(self, subscription: Subscription, row: Row) -> None:
        event = msgspec.json.decode(row.body, type=StoredEvent)
        for attempt in range(1, self._settings.attempts + 1):
            try:
                with self._observer.delivering(subscription.name, event):
                    await subscription.handler(event)
            except Exception as error:  # noqa: BLE001 whatever a handler raises is retried, reported and set aside
                self._observer.failed(subscription.name, event, attempt, error)
                if attempt == self._settings.attempts:
                    await self._cursors.park(subscription.name, row, repr(error))
                    self._observer.parked(subscription.name, event, error)
                    return
                await self._clock.sleep(min(0.05 * 2**attempt, 10.0))
            else:
                lag = (self._clock.now() - event.at).total_seconds()
                self._observer.handled(subscription.name, event, lag)
                return
