"""Processes on one database that hand each other events."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from steward.kit.bus import Bus, BusSettings, NullBusObserver, Subscription, Wake
from steward.kit.clock import Clock, SystemClock
from steward.kit.db import Database
from steward.kit.ids import TenantId
from steward.kit.outbox import DomainEvent, StoredEvent
from tests.support.database import ctx_of, database_at

PATIENCE = 6.0
"""Seconds that a test waits before it gives up."""


class Counted(DomainEvent, frozen=True, kw_only=True):
    number: int


class LateClock(SystemClock):
    """The machine's clock, moved on by `ahead`; it does not make anybody wait where `hasty`."""

    def __init__(self, *, hasty: bool = False) -> None:
        self.ahead = timedelta()
        self._hasty = hasty

    def now(self) -> datetime:
        return super().now() + self.ahead

    async def sleep(self, seconds: float) -> None:
        await super().sleep(0 if self._hasty else seconds)


class Inbox:
    """A handler that keeps the numbers it was given, and can be told to fail."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.fail: Callable[[int], bool] = lambda _: False
        self.failures = 0
        self._news = asyncio.Event()

    async def __call__(self, event: StoredEvent) -> None:
        number = msgspec.json.decode(event.payload, type=Counted).number
        if self.fail(number):
            self.failures += 1
            self._news.set()
            raise ValueError(number)
        self.got.append(number)
        self._news.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something holds, looking whenever an event was handled."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def has(self, *numbers: int) -> None:
        await self.until(lambda: set(numbers) <= set(self.got))


class Reporting(NullBusObserver):
    """Keeps what broke, so that a test that waits in vain can say why."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def broke(self, consumer: str, error: Exception) -> None:  # noqa: ARG002 the port's shape
        self.errors.append(error)


class Node:
    """A process: its database, side connection and bus."""

    def __init__(self, database: Database, wake: Wake, bus: Bus) -> None:
        self.database = database
        self.wake = wake
        self.bus = bus

    def consumer(self, name: str, *, broadcast: bool = False, source: str = "tenants") -> Inbox:
        """A consumer of this process; before `bus.start`."""
        inbox = Inbox()
        self.bus.subscribe(Subscription(name=name, sources=(source,), handler=inbox, broadcast=broadcast))
        return inbox

    async def emit(self, tenant: TenantId, *numbers: int) -> None:
        """Events of one transaction."""
        async with self.database.service("tenants").tx(ctx_of(tenant)) as tx:
            for number in numbers:
                tx.emit(Counted(number=number))


@asynccontextmanager
async def node(dsn: str, *, clock: Clock | None = None, wakes: bool = True, **settings: Any) -> AsyncGenerator[Node]:
    """A process of the platform, as far as the bus goes. It polls so seldom that only a wake-up is in time."""
    clock = clock or SystemClock()
    async with database_at(dsn, clock=clock) as database:
        wake = Wake(dsn, clock, retry_seconds=0.05)
        await wake.start()
        if wakes:
            database.on_commit(wake.committed)
        observer = Reporting()
        bus = Bus(database, wake, BusSettings(**{"poll_seconds": 600.0, **settings}), clock, observer)
        try:
            yield Node(database, wake, bus)
        finally:
            await bus.stop()
            await wake.stop()
        assert observer.errors == []


async def kill_side_connections(owner: str) -> int:
    """Have PostgreSQL end the side connections of all processes; how many there were."""
    connection = await asyncpg.connect(owner)
    try:
        return await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE application_name = 'steward bus' AND datname = current_database()"
        )
    finally:
        await connection.close()
