"""The connections of one process: opened when needed, kept, and handed out one user at a time.

asyncpg's own pool puts a proxy around every call and a task, a time-out and a reset around every release. None of that
is needed where each use is one transaction whose settings end with it; in a profile it was a tenth of a read's CPU.
"""

import asyncio
from typing import TYPE_CHECKING

import asyncpg

from steward.kit.db.errors import DatabaseBusy, DatabaseUnavailable

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InternalClientError,
)
"""What asyncpg raises when the server or the connection is gone; the last when it goes in the middle of a message."""


STATEMENT_SECONDS = 60.0
"""How long a statement may take before its connection counts as lost, as after a cut cable; no request is so long."""


class Connections:
    """At most `size` connections; the one used last is taken first, for its statements are the warmest."""

    def __init__(self, dsn: str, size: int, patience_s: float) -> None:
        self._dsn = dsn
        self._patience_s = patience_s
        self._size = size
        self._room = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._used: set[Connection] = set()
        self._closing = False

    async def acquire(self) -> Connection:
        """A connection that is open and in no transaction; raises `DatabaseBusy` and `DatabaseUnavailable`."""
        if self._closing:
            raise DatabaseUnavailable
        if not self._room.locked():
            # Does not wait, so that it cannot be cancelled half-way.
            await self._room.acquire()
            if (connection := self._take()) is not None:
                return connection
            return await self._connect()
        try:
            async with asyncio.timeout(self._patience_s):
                await self._room.acquire()
        except TimeoutError as error:
            raise DatabaseBusy(self._patience_s) from error
        return self._take() or await self._connect()

    def release(self, connection: Connection) -> None:
        """Give a connection back; one that broke or was left in a transaction is ended."""
        self._used.discard(connection)
        self._room.release()
        if connection.is_closed():
            return
        if connection.is_in_transaction() or self._closing:
            connection.terminate()
            return
        self._idle.append(connection)

    def count(self) -> tuple[int, int]:
        """Connections open and idle."""
        return len(self._used) + len(self._idle), len(self._idle)

    async def close(self, patience_s: float) -> None:
        """Close every connection; those in use get so long to come back."""
        self._closing = True
        idle, self._idle = self._idle, []
        try:
            async with asyncio.timeout(patience_s):
                await asyncio.gather(*(connection.close() for connection in idle), return_exceptions=True)
                for _ in range(self._size):
                    await self._room.acquire()
        except TimeoutError:
            for connection in (*idle, *self._used):
                connection.terminate()

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                self._used.add(connection)
                return connection
        return None

    async def _connect(self) -> Connection:
        """A new connection in the room that was taken for it."""
        try:
            connection: Connection = await asyncpg.connect(
                self._dsn,
                timeout=self._patience_s,
                command_timeout=STATEMENT_SECONDS,
                statement_cache_size=500,
                max_cached_statement_lifetime=0,
                server_settings={"application_name": "steward"},
            )
        except (*LOST, asyncpg.InterfaceError, TimeoutError) as error:
            self._room.release()
            raise DatabaseUnavailable from error
        except BaseException:
            self._room.release()
            raise
        self._used.add(connection)
        return connection
