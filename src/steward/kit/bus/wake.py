"""Waking readers: at once in this process, by NOTIFY in the others.

PostgreSQL serialises the commits of transactions that notify, so no transaction of ours does. A side connection sends
one NOTIFY for all that was committed within a few milliseconds. A lost notice costs a reader its polling interval.
"""

import asyncio
import hashlib
from typing import Any

import asyncpg

from steward.kit.bus.repository import NOTIFY, TRY_LOCK
from steward.kit.clock import Clock
from steward.kit.db.tx import LOST

CHANNEL = "steward_bus"
ANSWER_SECONDS = 5.0
"""How long the database may take to answer before the connection counts as lost, as after a cut cable."""


class Wake:
    """Listens and notifies on one side connection, which also holds this process's advisory locks."""

    def __init__(self, dsn: str, clock: Clock, *, debounce_seconds: float = 0.01, retry_seconds: float = 0.5) -> None:
        self._dsn = dsn
        self._clock = clock
        self._debounce_seconds = debounce_seconds
        self._retry_seconds = retry_seconds
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._dirty: set[str] = set()
        self._kick = asyncio.Event()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._talk = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect and listen; raises what asyncpg raises when the first connection fails."""
        await self._connect()
        self._tasks = [asyncio.create_task(self._send(), name="bus-notify")]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close(timeout=2)

    @property
    def connected(self) -> bool:
        """Whether the side connection stands."""
        return self._connection is not None and not self._connection.is_closed()

    def committed(self, service: str) -> None:
        """Events of this service, or by `audits_of` its audit records, were committed here: wake our readers now and
        the other processes' soon.
        """
        self._wake_local(service)
        self._dirty.add(service)
        self._kick.set()

    def waiter(self, *services: str) -> asyncio.Event:
        """An event that is set whenever one of the services has committed something; the reader clears it."""
        event = asyncio.Event()
        for service in services:
            self._waiters.setdefault(service, set()).add(event)
        return event

    def wake_all(self) -> None:
        """Have every reader look, as after a lost connection."""
        for service in self._waiters:
            self._wake_local(service)

    async def try_lock(self, name: str) -> bool:
        """Take (or find to be ours) the lock of this name, held until this process or its connection ends."""
        async with self._talk:
            connection = self._connection
            if connection is None or connection.is_closed():
                return False
            try:
                held = await connection.fetchval(TRY_LOCK, lock_key(name))
            except (*LOST, asyncpg.InterfaceError):
                # Also where it only does not answer: ended, it is made anew, and its locks are free for others.
                connection.terminate()
                return False
            return bool(held)

    def _wake_local(self, service: str) -> None:
        for event in self._waiters.get(service, ()):
            event.set()

    async def _connect(self) -> None:
        connection: Any = await asyncpg.connect(
            self._dsn,
            timeout=ANSWER_SECONDS,
            command_timeout=ANSWER_SECONDS,
            server_settings={"application_name": "steward bus"},
        )
        await connection.add_listener(CHANNEL, self._noticed)
        self._connection = connection

    def _noticed(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        for service in str(payload).split(","):
            self._wake_local(service)

    async def _send(self) -> None:
        while True:
            await self._kick_or_check()
            if self._connection is None or self._connection.is_closed():
                await self._reconnect()
            if not self._dirty:
                continue
            await self._clock.sleep(self._debounce_seconds)
            services, self._dirty = self._dirty, set()
            try:
                async with self._talk:
                    await self._notify(services)
            except (*LOST, asyncpg.InterfaceError):
                if self._connection is not None:
                    self._connection.terminate()
                self._dirty |= services
                self._kick.set()

    async def _notify(self, services: set[str]) -> None:
        if self._connection is None:
            raise ConnectionResetError(self._dsn)
        await self._connection.execute(NOTIFY, CHANNEL, ",".join(sorted(services)))

    async def _kick_or_check(self) -> None:
        try:
            async with asyncio.timeout(self._retry_seconds):
                await self._kick.wait()
        except TimeoutError:
            return
        self._kick.clear()

    async def _reconnect(self) -> None:
        try:
            await self._connect()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self._clock.sleep(self._retry_seconds)
        else:
            self.wake_all()


def lock_key(name: str) -> int:
    """A lock's name as the positive 63-bit number that PostgreSQL wants."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1
